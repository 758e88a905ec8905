"""Writes that the private servers acknowledged are still there, whichever of their processes is killed."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from app.embedded import Embedded
from app.embedded.folders import Folders
from tests.embedded.probes import (
    keepers,
    once_back,
    postmaster,
    query,
    servers_of_keepers,
    valkey,
    valkey_server,
    wait_until,
)


async def test_acknowledged_means_on_disk(servers: Embedded) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
        assert await query(servers, f"SHOW {setting}") == "on"
    async with valkey(servers) as client:
        settings = await client.config_get("append*")
    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "always")


async def test_killed_postmaster_comes_back_with_committed_rows(servers: Embedded, data_dir: Path) -> None:
    await query(servers, "CREATE TABLE kept AS SELECT 42 AS value")
    killed = postmaster(data_dir)
    os.kill(killed, signal.SIGKILL)
    assert await once_back(lambda: query(servers, "SELECT value FROM kept")) == 42
    assert postmaster(data_dir) != killed


async def test_backend_deep_in_a_query_does_not_delay_the_new_postmaster(
    servers: Embedded, data_dir: Path
) -> None:
    """It sees the death of its postmaster at its next pause only, and keeps the old shared memory in use."""
    busy = await asyncpg.connect(servers.database_url)
    query_without_end = busy.fetchval("SELECT count(*) FROM generate_series(1, 10000000000)")
    spinning = asyncio.ensure_future(query_without_end)
    await asyncio.sleep(0.2)
    os.kill(postmaster(data_dir), signal.SIGKILL)
    assert await once_back(lambda: query(servers, "SELECT 1")) == 1
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await spinning


async def test_killed_valkey_comes_back_with_acknowledged_keys(servers: Embedded, data_dir: Path) -> None:
    async with valkey(servers) as client:
        await client.set("kept", "42")
        os.kill(valkey_server(data_dir), signal.SIGKILL)
        assert await once_back(lambda: client.get("kept")) == "42"


async def test_killed_keeper_is_replaced_while_held(servers: Embedded, data_dir: Path) -> None:
    [killed] = keepers(data_dir)
    os.kill(killed, signal.SIGKILL)
    await asyncio.to_thread(wait_until, lambda: keepers(data_dir) not in ([], [killed]))
    await asyncio.to_thread(wait_until, lambda: len(servers_of_keepers(data_dir)) == 2)
    assert await once_back(lambda: query(servers, "SELECT 1")) == 1
    async with valkey(servers) as client:
        assert await once_back(client.ping)


async def test_lost_sockets_are_made_again(servers: Embedded, data_dir: Path) -> None:
    """Cleaners of temp folders remove what looks old, perhaps before the keeper saw it: then it waits ten seconds."""
    for file in Folders(data_dir).run_link.resolve().iterdir():
        file.unlink()
    assert await once_back(lambda: query(servers, "SELECT 1"), within_s=20) == 1
    async with valkey(servers) as client:
        assert await once_back(client.ping, within_s=20)
