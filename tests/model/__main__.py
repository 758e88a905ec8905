"""`make check-model`: every model searched whole, and once more without each of its guards, which must break a promise."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.model.kept import keep, record_of
from tests.model.search import MODELS, NotHereError, Run, guards_of, search

FAILED, NOT_HERE = 1, 3  # 2 is argparse's


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when no model breaks a promise and each breaks one without any guard of its own; 3 where spin or cc is missing."""
    options = _read_arguments(arguments)
    models = [model for model in options.models if not options.only or model.stem in options.only]
    try:
        runs = search_all(models)
    except NotHereError as missing:
        _say(f"nothing was shown: {missing}")
        return NOT_HERE
    except RuntimeError as error:
        _say(str(error))
        return FAILED
    if options.json:
        sys.stdout.write(json.dumps(record_of(runs), indent=1) + "\n")
    else:
        Console(width=None if sys.stdout.isatty() else 200).print(_table(runs), markup=False)
    wrong = [run for run in runs if not run.as_due]
    for run in wrong:
        _say(_what_is_wrong(run))
    _say(f"{len(models)} models, {len(runs) - len(models)} guards, {len(wrong)} not as due")
    if options.write:
        keep(runs)
        _say("written: tests/model/last.json, and its part of docs/guarantees.md")
    return FAILED if wrong else 0


def search_all(models: Sequence[Path]) -> list[Run]:
    """Each model as it stands, then without each of its guards. A line on stderr tells of each search."""
    wanted = [(model, guard) for model in models for guard in (None, *guards_of(model))]
    runs = []
    for number, (model, guard) in enumerate(wanted, 1):
        runs.append(search(model, guard))
        without = f" without {guard}" if guard else ""
        _say(f"{number} of {len(wanted)}: {model.stem}{without}: {runs[-1].states:,} states")
    return runs


def _table(runs: Sequence[Run]) -> Table:
    table = Table("model", "guard taken away", box=None, header_style="bold")
    table.add_column("states", justify="right")
    table.add_column("broken promise")
    for run in runs:
        found = run.found or "none"
        table.add_row(
            run.model, run.guard or "", f"{run.states:,}", found if run.as_due else f"{found}: WRONG"
        )
    return table


def _what_is_wrong(run: Run) -> str:
    if run.guard is None:
        return f"{run.model}: a promise is broken: {run.found}"
    return f"{run.model}: nothing breaks without {run.guard}, so that this guard is not needed"


def _say(line: str) -> None:
    sys.stderr.write(f"model: {line}\n")
    sys.stderr.flush()


def _read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make check-model",
        description=__doc__,
        epilog="""for example: make check-model MODEL="--only memory --json\"""",
    )
    add = parser.add_argument
    names = [model.stem for model in MODELS]
    add("--only", nargs="+", choices=names, default=(), metavar="MODEL", help=f"of {', '.join(names)}")
    add("--models", nargs="+", type=Path, default=MODELS, help="files in Promela (tests/model/*.pml)")
    add("--json", action="store_true", help="a document in the place of the table")
    add("--write", action="store_true", help="keep the result: tests/model/last.json and docs/guarantees.md")
    options = parser.parse_args(arguments)
    if options.write and (options.only or options.models != MODELS):
        parser.error("--write keeps the result of all models: leave out --only and --models")
    for model in options.models:
        if not model.is_file():
            parser.error(f"there is no model {model}")
    return options


if __name__ == "__main__":
    sys.exit(main())
