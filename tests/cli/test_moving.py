"""`customer import`, `app import` and `token import` say how much they kept, and go on where they were broken off."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.context import Context
from tests.support.changing import until_true
from tests.support.moving import Former, digest_of
from tests.support.server import ROOT, settings_on
from tests.support.verbs import Verbs


@pytest.fixture
def environment(database_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, **settings_on(database_url, redis_url, tmp_path)}


def run(
    verbs: Verbs, environment: dict[str, str], *arguments: str
) -> tuple[int, list[dict[str, Any]], list[str]]:
    """Exit code, records and the lines of stderr."""
    done = verbs.run(*arguments, environment=environment)
    return done.returncode, json.loads(done.stdout or "[]"), done.stderr.splitlines()


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "app", *arguments], cwd=ROOT, env=environment)


def file_of(folder: Path, name: str, *lines: object) -> str:
    file = folder / name
    file.write_text("\ufeff" + "\n".join(json.dumps(each) for each in lines))  # as some editors begin a file
    return str(file)


def test_the_exit_code_says_how_much_is_kept(
    verbs: Verbs, environment: dict[str, str], tmp_path: Path
) -> None:
    name = uuid4().hex
    kept = {"former_id": name, "name": "Hillside", "email": f"{name}@hillside.example"}
    some = file_of(tmp_path, "some.jsonl", kept, {**kept, "email": "nobody"}, 5)
    code, [record], said = run(verbs, environment, "customer", "import", some)
    assert (code, record["lines"], record["imported"], record["refused"]) == (3, 3, 1, 2)
    assert said[0].startswith("some.jsonl: line 2: not kept: e-mail address: ")
    assert said[1:] == ["some.jsonl: line 3: not kept: it is no JSON object"]
    none, empty = file_of(tmp_path, "none.jsonl", {}), file_of(tmp_path, "empty.jsonl")
    code, _, said = run(verbs, environment, "app", "import", none, empty)
    assert code == 1
    assert said == [
        "none.jsonl: line 1: not kept: client_id is missing",
        "rovitracker: empty.jsonl: no line in it",
    ]


async def test_an_import_that_was_killed_goes_on_where_it_was(
    verbs: Verbs, environment: dict[str, str], tmp_path: Path, context: Context
) -> None:
    """R-105: killed in the middle of a batch, whose lines are then stored by the second run alone."""
    former = await Former.make(context)
    lines = [json.dumps(former.line(sha256=digest_of(f"{former.token}{number}"))) for number in range(2500)]
    pipe = tmp_path / "tokens.pipe"
    os.mkfifo(pipe)
    with start(environment, "token", "import", str(pipe)) as importing, pipe.open("w") as writing:
        writing.write("\n".join(lines[:1500]))
        writing.flush()

        async def has_stored_a_batch() -> bool:
            row = await context.database.row(
                "SELECT count(*) AS rows FROM legacy_token WHERE customer_id = $1",
                former.world.member.customer_id,
            )
            return row is not None and row["rows"] == 1001

        await until_true(has_stored_a_batch)
        importing.kill()
    whole = tmp_path / "tokens.jsonl"
    whole.write_text("\n".join(lines))
    code, records, said = run(verbs, environment, "token", "import", str(whole))
    assert (code, said) == (0, [])
    assert records == [
        {
            "file": "tokens.jsonl",
            "lines": 2500,
            "imported": 1500,
            "known": 1000,
            "refused": 0,
            "dry_run": False,
        }
    ]
