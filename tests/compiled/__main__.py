"""`make check-compiled`: the suite on a copy of the working tree whose hot rooms are machine code."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from hatch_build import missing_for_compilation
from tests.compiled.tree import CompilationError, compiled_copy

_EPILOG = """
examples, each behind make check-compiled COMPILED="...":
  tests/door tests/oauth              some of the suite
  --into /tmp/compiled                make the copy and leave it, to measure in: cd /tmp/compiled && make bench-limit

It ends with status 3 where nothing can be compiled, and says what is missing.
"""
_NOTHING_SHOWN = 3
_WHOLE_SUITE = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")


def main() -> int:
    options = _read_arguments()
    if missing := missing_for_compilation():
        print(f"check-compiled: nothing was shown: it takes {missing}", file=sys.stderr)
        return _NOTHING_SHOWN
    if options.into is not None and options.into.exists():
        print(f"check-compiled: {options.into} is there already: name a folder that is not", file=sys.stderr)
        return 2
    print("Compiling a copy of the working tree; this takes a minute or two", file=sys.stderr, flush=True)
    try:
        if options.into is not None:
            compiled_copy(options.into.absolute())
            print(f"Measure in it: cd {options.into} && make bench-limit", file=sys.stderr)
            return 0
        with tempfile.TemporaryDirectory(prefix="rovitracker-compiled-") as folder:
            return _run_suite(compiled_copy(Path(folder) / "copy"), options.tests)
    except CompilationError as error:
        print(f"check-compiled: {error}", file=sys.stderr)
        return 1


def _run_suite(tree: Path, tests: list[str]) -> int:
    chosen = tests or _WHOLE_SUITE
    return subprocess.run([sys.executable, "-m", "pytest", *chosen], cwd=tree, check=False).returncode


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make check-compiled",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="leave a compiled copy there, and run nothing"
    )
    parser.add_argument("tests", nargs="*", help="what pytest is given (the whole suite)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
