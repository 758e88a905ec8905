"""After a fail-over behind one address the service leaves the server that takes no writes, and nobody restarts it."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.cli.checks import check_durability
from app.flows.upkeep.maintain import warn_of_forgetting
from app.main import create_app
from app.oauth.token_string import parse
from app.storage.errors import StandbyError
from app.storage.postgres.server import Server
from app.storage.schema.diagnosis import select_database_facts
from tests.conftest import make_settings
from tests.failover.conftest import House
from tests.failover.servers import Postgres
from tests.support.approvals import waiting_code
from tests.support.browser import Browser
from tests.support.changing import until, until_true, within_a_second
from tests.support.server import ROOT

READY = (200, {"status": "ok", "postgresql": "ok", "valkey": "ok"})


async def test_a_valkey_that_became_a_replica_is_left_and_no_request_notices(house: House) -> None:
    """R-89: codes of before are on the new primary, an approval and a code need no second try."""
    world, first, second = house.world, *house.valkeys
    assert await world.token(house.browser)
    codes = [await waiting_code(world) for _ in range(3)]
    page = await world.consent_page(house.browser)
    await second.follow(None)
    await first.follow(second)
    assert await house.ready() == (
        200,
        {"status": "degraded", "postgresql": "ok", "valkey": "takes no writes"},
    )
    house.valkey_address.lead_to(second.port)
    approved = await house.browser.submit(page, {"decision": "approve"}, action="/consent")
    assert "code=" in approved.headers["location"]
    await first.follow(None)
    await second.follow(first)
    house.valkey_address.lead_to(first.port)
    for code in codes:
        assert (await world.exchange(house.browser, code.text)).status_code == 200
    assert await house.ready() == READY


async def test_sessions_on_a_postgresql_that_became_read_only_move_to_its_successor(house: House) -> None:
    """R-90: the address leads to the new one, and the old one keeps every session open, the listener's too."""
    world, first, second = house.world, *house.postgres
    token = await world.token(house.browser)
    codes = [await waiting_code(world) for _ in range(2)]
    await second.promote()
    await first.tell("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    house.postgres_address.lead_to(second.socket)
    for code in codes:
        assert (await world.exchange(house.browser, code.text)).status_code == 200
    assert await house.ready() == READY
    changes = world.context.changes
    await until(lambda: changes.current)
    assert (await world.introspect(house.browser, token))["active"] is True
    await second.tell("UPDATE authorization_grant SET revoked_at = now() RETURNING 1")
    await within_a_second(lambda: is_inactive(house, token))


async def is_inactive(house: House, token: str) -> bool:
    return await house.world.introspect(house.browser, token) == {"active": False}


async def test_a_listener_alone_notices_and_takes_the_others_along(house: House) -> None:
    """A process that only answers about tokens writes nothing: it would believe an old primary for ever."""
    second = house.postgres[1]
    database, changes = house.world.context.database, house.world.context.changes
    retired = database.retired
    await second.tell("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    await until(lambda: database.retired > retired and not changes.current)
    assert await house.ready() == (
        503,
        {"status": "unavailable", "postgresql": "takes no writes", "valkey": "ok"},
    )
    await second.tell("SET default_transaction_read_only = off", "SELECT 1")
    await second.tell("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
    await until_true(lambda: is_ready(house))


async def is_ready(house: House) -> bool:
    return await house.ready() == READY


async def test_a_standby_is_never_used_and_the_service_waits_for_the_address_to_move(house: House) -> None:
    """The old primary comes back as a standby, and the address still leads there, with every session anew."""
    world, first, second = house.world, *house.postgres
    await asyncio.to_thread(first.stop)
    await asyncio.to_thread(first.start, follows=second)
    code = await waiting_code(world)
    house.postgres_address.lead_to(first.socket)
    house.postgres_address.cut()
    await until_true(lambda: is_unavailable(house))
    refused = await world.exchange(house.browser, code.text)
    assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
    await asyncio.to_thread(told_by_doctor, house)  # this loop carries what it asks
    said = await asyncio.to_thread(run, "migrate", "up", house=house)
    assert (said.returncode, said.stdout) == (1, "")
    assert "takes no writes: it is a standby, or read-only" in said.stderr
    assert len(said.stderr.splitlines()) == 1
    house.postgres_address.lead_to(second.socket)
    assert (await world.exchange(house.browser, code.text)).status_code == 200
    await until_true(lambda: is_ready(house))


async def is_unavailable(house: House) -> bool:
    return await house.ready() == (
        503,
        {"status": "unavailable", "postgresql": "takes no writes", "valkey": "ok"},
    )


def told_by_doctor(house: House) -> None:
    done = run("doctor", "--json", house=house)
    assert (done.returncode, done.stderr) == (1, "")
    wrongs = [each for each in json.loads(done.stdout) if each["verdict"] == "wrong"]
    assert len(wrongs) == 1, wrongs
    [wrong] = wrongs
    assert wrong["check"] == "PostgreSQL"
    assert "standby" in wrong["found"]
    assert "name the primary" in wrong["found"] + wrong["todo"]


def run(*verb: str, house: House) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *verb],
        cwd=ROOT,
        env={**os.environ, **house.environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_server_that_forgets_is_a_loud_warning(house: House) -> None:
    """R-97: of the log in production, and of `doctor`."""
    second, context = house.postgres[1], house.world.context
    await second.tell("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    await until_true(lambda: is_forgetful(second))
    production = replace(context, policy=replace(context.policy, development=False))
    with capture_logs() as logs:
        await warn_of_forgetting(production)
        await warn_of_forgetting(context)
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("PostgreSQL forgets in a power cut", "warning")
    ]
    assert check_durability(await select_database_facts(context.database)).verdict == "warning"
    await second.tell("ALTER SYSTEM RESET fsync", "SELECT pg_reload_conf()")


async def is_forgetful(server: Postgres) -> bool:
    return bool(await server.tell("SELECT current_setting('fsync') = 'off'"))


async def test_nothing_is_answered_that_a_lost_synchronous_standby_does_not_have(house: House) -> None:
    """R-99: a wait that was cut off leaves the row on the primary, and the next attempt finds it there."""
    world, second = house.world, house.postgres[1]
    code = await waiting_code(world)
    await second.tell("ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
    try:
        await until_true(lambda: waits_for_nobody(second))
        answer = await world.exchange(house.browser, code.text)
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    finally:
        await second.tell("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
    assert await world.token(house.browser)


async def waits_for_nobody(server: Postgres) -> bool:
    return bool(await server.tell("SELECT current_setting('synchronous_standby_names') = 'nobody'"))


def both_hosts(house: House) -> str:
    """The address of both, the standby first."""
    first, second = house.postgres
    both = first.url.replace(f"port={first.port}", f"port={first.port},{second.port}")
    return both.replace(f"host={first.run}", f"host={first.run},{first.run}")


async def test_of_several_hosts_the_one_that_takes_writes_is_used(house: House) -> None:
    """The standby comes first in the address."""
    first, second = house.postgres
    session = await Server(both_hosts(house)).connect(timeout=3.0)
    assert await session.fetchval("SHOW port") == str(second.port)
    await session.close()
    with pytest.raises(StandbyError):
        await Server(first.url).connect(timeout=3.0)


async def test_a_standby_that_lags_by_ten_seconds_decides_nothing(house: House, tmp_path: Path) -> None:
    """R-100: what it still believes is never asked for, though it is named first."""
    first, second = house.postgres
    world = house.world
    await asyncio.to_thread(follow_anew, first, second)
    token = await world.token(house.browser)
    await until_true(lambda: stands_at(first, token))
    await first.tell("ALTER SYSTEM SET recovery_min_apply_delay = '10s'", "SELECT pg_reload_conf()")
    app = create_app(make_settings(both_hosts(house), house.redis_url, tmp_path))
    try:
        async with app.router.lifespan_context(app), Browser(app) as browser:
            assert (await world.introspect(browser, token))["active"] is True
            fields = {"client_id": world.client_id, "client_secret": world.client_secret, "token": token}
            assert (await browser.http.post("/app/oauth2/revoke", data=fields)).status_code == 200
            assert await world.introspect(browser, token) == {"active": False}
            await within_a_second(lambda: is_inactive(house, token))
            assert await stands_at(first, token), "the standby has not heard of it"
    finally:
        await first.tell("ALTER SYSTEM RESET recovery_min_apply_delay", "SELECT pg_reload_conf()")


def follow_anew(standby: Postgres, primary: Postgres) -> None:
    standby.stop()
    standby.copy_from(primary)
    standby.start(follows=primary)


async def stands_at(server: Postgres, token: str) -> bool:
    """Whether the token stands there."""
    known = parse(token)
    assert known is not None
    asked = f"SELECT count(*) FROM classic_token WHERE id = '{known.id}' AND revoked_at IS NULL"  # an id
    return int(await server.tell(asked)) == 1
