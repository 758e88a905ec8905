"""`rovitracker doctor` against planted wrong set-ups: each is named with its remedy, and none ends in a trace."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from app.cli.doctor import examine
from app.embedded import attach
from app.embedded.folders import Folders, Record
from app.embedded.removal import remove
from tests.cli.set_ups import PASSWORD, SET_UPS, Ground, SetUp
from tests.conftest import make_database
from tests.embedded.probes import wait_until_all_stopped
from tests.support.verbs import Verbs


@pytest.fixture(scope="module")
def standby_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that waits for a primary, as a fail-over leaves one behind."""
    folder = tmp_path_factory.mktemp("standby")
    attach(folder).release()
    wait_until_all_stopped(folder)
    record = Record.load(Folders(folder))
    assert record is not None
    signal = record.home(Folders(folder)) / "postgres" / "standby.signal"
    signal.touch()
    if record.account is not None:
        os.chown(signal, record.account.uid, record.account.gid)
    with attach(folder) as held:
        yield held.database_url
    remove(folder)


@pytest.fixture(scope="module")
async def ground(
    servers: tuple[str, str],
    worker: int,
    standby_url: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Ground:
    """One migrated database, two empty ones, and a login of the service's own."""
    name = f"examined_{worker}"
    database_url = await make_database(servers[0], name)
    owner = await asyncpg.connect(servers[0])
    await owner.execute(f"CREATE DATABASE {name}_empty")
    await owner.execute(
        f"CREATE DATABASE {name}_ascii ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER 'libc' TEMPLATE template0"
    )
    await owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    await owner.execute(f"GRANT rovitracker_service TO {name} WITH INHERIT TRUE, SET TRUE")
    await owner.close()
    return Ground(
        database_url,
        urlunsplit(urlsplit(database_url)._replace(netloc=f"{name}:{PASSWORD}@")),
        urlunsplit(urlsplit(database_url)._replace(path=f"/{name}_empty")),
        urlunsplit(urlsplit(database_url)._replace(path=f"/{name}_ascii")),
        standby_url,
        redis_url,
        tmp_path_factory.mktemp("set-ups"),
    )


@contextmanager
def harmed(set_up: SetUp, ground: Ground) -> Iterator[None]:
    """The set-up's harm, and its end."""

    name = urlsplit(ground.database_url).path[1:]

    def execute(statement: str) -> None:
        async def run() -> None:
            owner = await asyncpg.connect(ground.database_url)
            await owner.execute(statement.replace("THIS_LOGIN", name).replace("THIS_DATABASE", name))
            await owner.close()

        asyncio.run(run())

    if set_up.harm:
        execute(set_up.harm)
    try:
        yield
    finally:
        if set_up.mend:
            execute(set_up.mend)


@pytest.fixture
def alone(ground: Ground, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A folder and an environment in which nothing else is set."""
    monkeypatch.chdir(ground.folder)
    monkeypatch.setenv("ROVITRACKER_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("PGPORT", raising=False)
    yield
    os.environ.pop("PGPORT", None)
    (ground.folder / ".env").unlink(missing_ok=True)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("set_up", SET_UPS.values(), ids=SET_UPS)
def test_a_wrong_set_up_is_named_with_its_remedy(
    set_up: SetUp, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in set_up.settings(ground).items():
        monkeypatch.setenv(f"ROVITRACKER_{name}", value)
    set_up.prepare(ground)
    with harmed(set_up, ground):
        findings = [asdict(finding) for finding in examine()]
    told = [
        f"{each['found']}: {each['todo']}"
        for each in findings
        if (each["check"], each["verdict"]) == (set_up.check, set_up.verdict) and each["todo"]
    ]
    assert any(all(words in line for words in set_up.told) for line in told), findings
    assert "hidden" not in str(findings)
    assert PASSWORD not in str(findings)


NO_TRACE = (("migrate", "status"), ("migrate", "up"), ("maintain",), ("customer", "list"))


@pytest.mark.parametrize("verb", NO_TRACE, ids=" ".join)
def test_verbs_with_a_login_that_lacks_its_grants_end_in_one_line(
    verbs: Verbs, verb: tuple[str, ...], ground: Ground
) -> None:
    """Who must run it is told, where another login may."""
    with harmed(SET_UPS["a login without the service's role"], ground):
        said = refused(verbs, verb, ground.of(ground.login_url))
    told = {
        "up": "does not own the schema and may not change it: set ROVITRACKER_MIGRATION_DATABASE_URL",
    }.get(verb[-1], "a grant is missing, or the login is another than was meant")
    assert told in said


def test_a_standby_is_not_migrated(verbs: Verbs, ground: Ground) -> None:
    assert "it is a standby, or read-only" in refused(verbs, ("migrate", "up"), ground.of(ground.standby_url))


def refused(verbs: Verbs, verb: tuple[str, ...], settings: Mapping[str, str]) -> str:
    """The one line that a verb ends with."""
    environment = {**os.environ, **{f"ROVITRACKER_{name}": value for name, value in settings.items()}}
    done = verbs.run(*verb, environment=environment)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    return done.stderr
