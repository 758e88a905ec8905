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
from tests.conftest import make_settings
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.changing import until, within_a_second
from tests.support.debian import program
from tests.support.people import World

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
