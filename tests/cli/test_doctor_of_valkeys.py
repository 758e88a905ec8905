"""`rovitracker doctor` on sentinels and on a cluster: what it says of each server, and of an address of another kind."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bench.ground.cluster import Joined, cluster_nodes, join
from bench.ground.valkeys import NAME, Watched, watched_valkeys
from tests.cli.conftest import Rovitracker


async def examine(rovitracker: Rovitracker, redis_url: str) -> dict[str, dict[str, Any]]:
    """The findings about Valkey, by what was checked."""
    stores = {
        "ROVITRACKER_DATABASE_URL": rovitracker.embedded.database_url,
        "ROVITRACKER_REDIS_URL": redis_url,
        "ROVITRACKER_ENVIRONMENT": "development",
    }
    done = await asyncio.to_thread(rovitracker.run, "doctor", **stores)
    assert done.stderr == ""
    found = {each["check"]: each for each in json.loads(done.stdout)}
    own = {name: each for name, each in found.items() if "Valkey" in name or name == "sentinels"}
    wrong = any(each["verdict"] == "wrong" for each in own.values())
    assert done.returncode == (1 if wrong else done.returncode)
    return own


@pytest.fixture(scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with watched_valkeys(tmp_path_factory.mktemp("watched")) as watched:
        await watched.hasten()
        yield watched


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with cluster_nodes(tmp_path_factory.mktemp("cluster")) as cluster:
        await join(cluster)
        yield cluster


async def test_sentinels_are_counted_and_their_primary_is_named(
    rovitracker: Rovitracker, watched: Watched
) -> None:
    found = await examine(rovitracker, watched.url)
    primary = f"127.0.0.1:{watched.servers[0].port}"
    assert found.keys() == {"Valkey", "Valkey connections", "clock of Valkey", "sentinels"}
    assert (found["sentinels"]["verdict"], found["sentinels"]["found"]) == ("ok", f"3 of 3 name {primary}")
    assert found["Valkey"]["verdict"] == "warning"  # these keep nothing on disk
    silent = watched.sentinels[2]
    silent.fall_silent()
    try:
        found = await examine(rovitracker, watched.url)
    finally:
        silent.wake()
    assert found["sentinels"]["verdict"] == "warning"
    assert found["sentinels"]["found"] == f"2 of 3 name {primary}; no answer from 127.0.0.1:{silent.port}"


async def test_each_primary_of_a_cluster_is_looked_at(rovitracker: Rovitracker, cluster: Joined) -> None:
    found = await examine(rovitracker, cluster.url)
    names = {f"Valkey 127.0.0.1:{node.port}" for node in cluster.nodes[:3]}
    assert found.keys() == {f"{before}{name}{after}" for name in names for before, after in ROWS}
    assert all(found[name]["verdict"] == "warning" for name in names)


ROWS = (("", ""), ("", " connections"), ("clock of ", ""))


async def test_an_address_of_another_kind_is_wrong_and_says_what_to_write(
    rovitracker: Rovitracker, watched: Watched, cluster: Joined
) -> None:
    password, theirs = watched.servers[0].password, watched.sentinels[0].password
    server, sentinel, node = watched.servers[0].port, watched.sentinels[0].port, cluster.nodes[0].port
    deaf = ("deaf", "on", f">{theirs}", "&*", "-@all", "+hello", "+client|setinfo", "+sentinel|master")
    for each in watched.sentinels:
        await each.tell("ACL", "SETUSER", *deaf)
    for url, found, todo in (
        (f"redis://:{theirs}@127.0.0.1:{sentinel}", "a sentinel, which keeps no code", "redis+sentinel://"),
        (
            f"redis://:{cluster.nodes[0].password}@127.0.0.1:{node}",
            "a node of a cluster, which keeps a part of the codes",
            "redis+cluster://",
        ),
        (f"redis+cluster://:{password}@127.0.0.1:{server}", "is no node of a cluster", "redis://"),
        (f"redis+cluster://:{theirs}@127.0.0.1:{sentinel}", "is no node of a cluster", "redis://"),
        (
            f"redis+sentinel://:{password}@127.0.0.1:{server}/{NAME}?sentinel_password={password}",
            "is no sentinel",
            "redis://",
        ),
        (watched.url.replace(NAME, "other"), "knows no primary 'other'", "sentinel masters"),
        (watched.url + "&sentinel_username=deaf", "refuses the account", "+subscribe"),
    ):
        findings = await examine(rovitracker, url)
        assert findings["Valkey"]["verdict"] == "wrong", url
        assert found in findings["Valkey"]["found"]
        assert todo in findings["Valkey"]["todo"]
        said = json.dumps(findings)
        assert password not in said
        assert theirs not in said


async def test_a_cluster_without_slots_is_told(rovitracker: Rovitracker, tmp_path: Path) -> None:
    with cluster_nodes(tmp_path, 1) as alone:
        finding = (await examine(rovitracker, alone.url))["Valkey"]
    assert finding["verdict"] == "wrong"
    assert "serves no slot" in finding["found"]
    assert "valkey-cli --cluster create" in finding["todo"]
