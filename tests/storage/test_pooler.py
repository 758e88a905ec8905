"""Behind PgBouncer in transaction mode: the token path leaves nothing in a session, and changes are heard beside it."""

import asyncio
import os
import secrets
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.settings import Settings
from app.storage.errors import ForgetfulSessionError
from app.storage.postgres.database import open_database
from tests.conftest import make_settings
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.changing import until, within_a_second
from tests.support.debian import program
from tests.support.people import World
from tests.support.server import free_port, running_service, settings_on

PGBOUNCER = program("pgbouncer")
pytestmark = pytest.mark.skipif(
    PGBOUNCER is None,
    reason="not shown: that the service works behind a pooler; `make servers` installs PgBouncer",
)

CONFIGURATION = """
[databases]
{name} = host={sockets} dbname={name}
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
pidfile = {folder}/pid
"""


@pytest.fixture(scope="module")
async def login(database_url: str, worker: int) -> AsyncIterator[tuple[str, str]]:
    """A login of the service's own, as deploy/create_logins.sql makes one: a pooler may not SET ROLE."""
    name, password = f"pooled_{worker}", secrets.token_hex(16)
    owner = await asyncpg.connect(database_url)
    await owner.execute(f"DROP ROLE IF EXISTS {name}")
    await owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE rovitracker_service")
    yield name, password
    await owner.execute(f"DROP ROLE {name}")
    await owner.close()


@pytest.fixture(scope="module")
def pooled_url(database_url: str, login: tuple[str, str]) -> Iterator[str]:
    address = urlsplit(database_url)
    [sockets] = parse_qs(address.query)["host"]
    name, password = login
    owner = Path(sockets).stat()
    with TemporaryDirectory() as folder:  # a socket's path must be short
        (Path(folder) / "users").write_text(f'"{name}" "{password}"\n')
        configuration = CONFIGURATION.format(name=address.path[1:], sockets=sockets, folder=folder)
        (Path(folder) / "ini").write_text(configuration)
        for each in (Path(folder), *Path(folder).iterdir()):
            os.chown(each, owner.st_uid, owner.st_gid)
        # It refuses to be root, and the private servers' sockets let only their own user in.
        pooler = subprocess.Popen(
            [str(PGBOUNCER), "-q", f"{folder}/ini"],
            user=owner.st_uid,
            group=owner.st_gid,
            extra_groups=[] if os.geteuid() == 0 else None,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield f"postgresql://{name}:{password}@{address.path}?host={folder}&port=6432"
        finally:
            pooler.terminate()
            pooler.wait(10)


@pytest.fixture
async def pooled(
    pooled_url: str, database_url: str, redis_url: str, login: tuple[str, str], tmp_path: Path
) -> AsyncIterator[FastAPI]:
    name, password = login
    direct = urlsplit(database_url)._replace(netloc=f"{name}:{password}@").geturl()
    settings: Settings = make_settings(
        pooled_url,
        redis_url,
        tmp_path,
        direct_database_url=direct,
        migration_database_url=database_url,
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        await until(lambda: app.state.context.changes.current)
        yield app


async def test_tokens_are_issued_checked_and_revoked_through_two_sessions(pooled: FastAPI) -> None:
    world = await World.make(pooled.state.context)
    codes = [await waiting_code(world) for _ in range(10)]
    async with Browser(pooled) as browser:
        answers = await asyncio.gather(*(world.exchange(browser, code.text) for code in codes))
        assert {answer.status_code for answer in answers} == {200}
        tokens = [answer.json()["access_token"] for answer in answers]
        for token in tokens:
            headers = {"Authorization": f"Bearer {token}"}
            assert (await browser.get("/api/v2/Fleet/1", **headers)).status_code == 200
            assert (await world.introspect(browser, token))["active"] is True
        fields = {"client_id": world.client_id, "client_secret": world.client_secret, "token": tokens[0]}
        assert (await browser.http.post("/app/oauth2/revoke", data=fields)).status_code == 200
        assert (await world.introspect(browser, tokens[0]))["active"] is False


async def test_changes_are_heard_beside_the_pooler(pooled: FastAPI, database_url: str) -> None:
    """LISTEN needs a session, which DIRECT_DATABASE_URL has."""
    context = pooled.state.context
    world = await World.make(context)
    async with Browser(pooled) as browser:
        token = await world.token(browser)
        assert (await world.introspect(browser, token))["active"] is True
        owner = await asyncpg.connect(database_url)
        await owner.execute(
            "UPDATE authorization_grant SET revoked_at = now() WHERE customer_id = $1",
            world.member.customer_id,
        )
        await owner.close()

        async def is_refused() -> bool:
            return (await world.introspect(browser, token)) == {"active": False}

        await within_a_second(is_refused)


LEADER = """
SELECT pid, usename FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND application_name = 'rovitracker changes' AND datname = current_database()
"""


async def test_the_lead_is_held_beside_the_pooler(
    pooled: FastAPI, database_url: str, login: tuple[str, str]
) -> None:
    """A lock of a session needs one, too. Whatever other service of this suite leads is ended, and this one leads."""
    changes = pooled.state.context.changes
    owner = await asyncpg.connect(database_url)
    while not changes.leads.is_set():
        await owner.execute(
            f"SELECT pg_terminate_backend(pid) FROM ({LEADER}) AS leader WHERE usename <> $1", login[0]
        )
        await asyncio.sleep(0.3)
    [leader] = await owner.fetch(LEADER)
    assert leader["usename"] == login[0]
    await owner.close()


async def test_the_service_starts_behind_the_pooler(
    pooled_url: str, database_url: str, redis_url: str, login: tuple[str, str], tmp_path: Path
) -> None:
    """`serve` looks at its role's rights first, over the same way."""
    settings = {
        **settings_on(pooled_url, redis_url, tmp_path),
        "ROVITRACKER_DIRECT_DATABASE_URL": urlsplit(database_url)
        ._replace(netloc=":".join(login) + "@")
        .geturl(),
        "ROVITRACKER_MIGRATION_DATABASE_URL": database_url,
    }
    async with (
        running_service(port=free_port(), settings=settings) as address,
        Browser(base_url=address) as browser,
    ):
        assert (await browser.get("/health/ready")).json()["status"] == "ok"


async def test_a_pooler_whose_sessions_answer_before_the_disk_is_refused_until_the_login_says_otherwise(
    pooled_url: str, database_url: str, login: tuple[str, str]
) -> None:
    """R-97: PgBouncer takes no such parameter from the service, so the login carries it, whatever the database says."""
    database = urlsplit(database_url).path[1:]
    pooled_database = await open_database(pooled_url, connections=1, role=None, pooled=True)
    direct = urlsplit(database_url)._replace(netloc=f"{login[0]}:{login[1]}@").geturl()
    owner = await asyncpg.connect(database_url)
    try:
        await new_sessions(owner, direct, f"ALTER DATABASE {database} SET synchronous_commit = off")
        with pytest.raises(
            ForgetfulSessionError, match=f'ALTER ROLE "{login[0]}" SET synchronous_commit = on'
        ):
            await pooled_database.row("SELECT 1")
        await new_sessions(owner, direct, f"ALTER ROLE {login[0]} SET synchronous_commit = on")
        word = await pooled_database.row("SELECT current_setting('synchronous_commit') AS word")
        assert word is not None
        assert word["word"] == "on"
    finally:
        await owner.execute(f"ALTER DATABASE {database} RESET synchronous_commit")
        await owner.close()
        await pooled_database.close()


async def new_sessions(owner: asyncpg.Connection, direct: str, change: str) -> None:
    """Make a change that holds for new sessions, and end the pooler's, as RECONNECT does."""
    await owner.execute(change)
    login = await asyncpg.connect(direct)
    await login.execute(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
        "WHERE usename = current_user AND pid <> pg_backend_pid()"
    )
    await login.close()
