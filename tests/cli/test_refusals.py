"""A refusal is one line on a terminal, with the verb or the option that helps; a bug keeps its trace."""

import asyncio
import subprocess

import asyncpg
import pytest

from app.cli.hints import HINTS, told
from app.cli.main import run
from app.refused import RefusedError
from tests.cli.conftest import Rovitracker, own_stores
from tests.support.refused import REFUSALS


def ending(error: Exception, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of a verb that ends with this."""

    def verb(**_: object) -> None:
        raise error

    monkeypatch.setattr("app.cli.main.command_line", lambda _words: verb)
    with pytest.raises(SystemExit) as ended:
        run()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize("refused", REFUSALS, ids=lambda each: type(each).__name__)
def test_every_refusal_is_one_line(
    refused: RefusedError, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(refused, monkeypatch) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"rovitracker: {told(refused)}\n"
    assert str(refused) in err


def test_a_bug_keeps_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LookupError, match="ours"):
        ending(LookupError("ours"), monkeypatch)


@pytest.mark.parametrize("code", sorted(HINTS))
def test_every_hint_is_given_where_its_code_is_refused(code: str) -> None:
    assert told(RefusedError("no such thing", code=code)) == f"no such thing: {HINTS[code]}"


def test_a_refusal_without_a_hint_says_what_it_says() -> None:
    assert told(RefusedError("no such thing")) == "no such thing"


@pytest.fixture(scope="module")
def harmed(rovitracker: Rovitracker) -> dict[str, str]:
    """Settings of stores in which nobody waits long for a lock, as where an operator has set so."""
    stores = own_stores(rovitracker, "harmed")
    assert rovitracker.run("migrate", "up", **stores).returncode == 0
    asyncio.run(_execute(stores, "ALTER DATABASE harmed SET lock_timeout = '100ms'"))
    return stores


async def _execute(stores: dict[str, str], statement: str) -> None:
    owner = await asyncpg.connect(stores["ROVITRACKER_DATABASE_URL"])
    await owner.execute(statement)
    await owner.close()


async def _run_under_lock(
    rovitracker: Rovitracker, stores: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    owner = await asyncpg.connect(stores["ROVITRACKER_DATABASE_URL"])
    async with owner.transaction():
        await owner.execute("LOCK TABLE application IN ACCESS EXCLUSIVE MODE")
        done = await asyncio.to_thread(rovitracker.run, "app", "list", **stores)
    await owner.close()
    return done


def test_a_statement_that_is_refused_for_a_moment_is_one_line(
    rovitracker: Rovitracker, harmed: dict[str, str]
) -> None:
    done = asyncio.run(_run_under_lock(rovitracker, harmed))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("rovitracker: 55P03 ")
    assert done.stderr.endswith("try again; `rovitracker doctor` says what is wrong\n")
    assert done.stderr.count("\n") == 1


def test_a_statement_that_is_refused_for_a_bug_keeps_its_trace(
    rovitracker: Rovitracker, harmed: dict[str, str]
) -> None:
    asyncio.run(_execute(harmed, "ALTER TABLE application RENAME COLUMN company TO maker"))
    try:
        done = rovitracker.run("app", "list", **harmed)
    finally:
        asyncio.run(_execute(harmed, "ALTER TABLE application RENAME COLUMN maker TO company"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" in done.stderr
    assert "StatementRefusedError: 42703" in done.stderr
    assert "try again" not in done.stderr
