"""Several processes hold one data directory; the servers run from the first of them to the last."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from app.embedded import Embedded, attach
from tests.embedded.probes import (
    ATTACH,
    ATTACH_AND_WAIT,
    first_line_of,
    holder,
    keepers,
    kill,
    output_of,
    python,
    query,
    wait_until_all_stopped,
)


def test_holders_share_one_pair_of_servers(servers: Embedded, data_dir: Path) -> None:
    with holder(data_dir), attach(data_dir) as third:
        assert (third.database_url, third.redis_url) == (servers.database_url, servers.redis_url)
        assert len(keepers(data_dir)) == 1


@pytest.mark.usefixtures("servers")
def test_attaching_to_running_servers_takes_no_time_worth_naming(data_dir: Path) -> None:
    def attach_s() -> float:
        began = time.monotonic()
        attach(data_dir).release()
        return time.monotonic() - began

    assert min(attach_s() for _ in range(5)) < 0.05


def test_several_first_starters_make_one_pair_of_servers(new_dir: Path) -> None:
    starters = [python(ATTACH_AND_WAIT, new_dir) for _ in range(3)]
    urls = {first_line_of(process) for process in starters}
    running = keepers(new_dir)
    for process in starters:
        kill(process)
    assert len(urls) == len(running) == 1
    assert urls.pop().startswith("postgresql://")


FOREIGN = {
    "PGHOST": "db.example",
    "PGPORT": "6543",
    "PGUSER": "ann",
    "PGDATABASE": "orders",
    "PGPASSWORD": "hidden",
    "PGSSLMODE": "verify-full",
    "PGTARGETSESSIONATTRS": "standby",
    "PGSERVICE": "orders",
}


async def test_addresses_of_other_databases_in_the_environment_lead_nobody_astray(
    servers: Embedded, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    with attach(data_dir) as held:
        assert held.database_url == servers.database_url
        assert (
            await query(held, "SELECT current_user || '@' || current_database()") == "rovitracker@rovitracker"
        )


async def test_servers_run_until_the_last_holder_leaves(made_dir: Path) -> None:
    first, last = attach(made_dir), attach(made_dir)
    first.release()
    first.release()
    await asyncio.sleep(2)
    assert await query(last, "SELECT 1") == 1
    last.release()
    await asyncio.to_thread(wait_until_all_stopped, made_dir)


def test_servers_stop_after_killed_holders(made_dir: Path) -> None:
    with holder(made_dir), holder(made_dir):
        pass
    wait_until_all_stopped(made_dir)


def test_killed_keeper_without_holders_leaves_nothing_running(made_dir: Path) -> None:
    with holder(made_dir):
        [keeper] = keepers(made_dir)
    os.kill(keeper, signal.SIGKILL)
    wait_until_all_stopped(made_dir)


def test_command_after_command_finds_the_servers_running(made_dir: Path) -> None:
    output_of(python(ATTACH, made_dir))
    before = keepers(made_dir)
    output_of(python(ATTACH, made_dir))
    assert keepers(made_dir) == before != []


def test_readers_of_a_commands_output_do_not_wait_for_the_keeper(stopped_dir: Path) -> None:
    output_of(python(ATTACH, stopped_dir))
    assert keepers(stopped_dir), "the output ended only when the servers had stopped"
