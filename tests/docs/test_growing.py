"""What docs/operators.md says about growing is run as it stands, on ports of this machine."""

import asyncio
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.ground.cluster import Joined
from bench.ground.valkeys import Valkey, Watched, running, until_true
from tests.bench.programs import measure
from tests.support.debian import program
from tests.support.server import ROOT, free_port
from tests.support.verbs import Verbs

SECTION = (ROOT / "docs" / "operators.md").read_text().partition("\n## Growing\n")[2]
SECTION = SECTION.partition("\n### PostgreSQL that is many\n")[0]  # tests/distributed runs what that says
SERVER, REPLICA, SENTINEL, WATCHED, NODE, CREATE, JOINED, MEASURE = re.findall(
    r"```\n(.*?)```", SECTION, re.DOTALL
)
PASSWORD, OF_SENTINELS = "server-password", "sentinel-password"


def server_of(folder: Path, text: str, password: str, *, port: int, mode: tuple[str, ...] = ()) -> Valkey:
    """text: of its file as the page has it, but for the port."""
    own = folder / f"{port}"
    own.mkdir()
    own_text = re.sub(r"(?m)^port \d+$", f"port {port}\nbind 127.0.0.1\ndir {own}", text)
    assert own_text != text
    (own / "valkey.conf").write_text(own_text)
    return Valkey(port, password, own / "valkey.conf", mode)


async def findings(verbs: Verbs, stores: Mapping[str, str], url: str) -> dict[str, dict[str, Any]]:
    """What `rovitracker doctor` says, by what it checked."""
    line = dict([url.strip().split("=", 1)])
    done = await asyncio.to_thread(verbs.run, "doctor", environment={**stores, **line}, stdin="")
    assert done.stderr == ""
    return {each["check"]: each for each in json.loads(done.stdout)}


@pytest.fixture
def stores(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "ROVITRACKER_DATABASE_URL": database_url,
        "ROVITRACKER_ENVIRONMENT": "development",
        "ROVITRACKER_DATA_DIR": str(tmp_path / "data"),
    }


async def test_sentinels_are_set_up_as_the_page_says(
    verbs: Verbs, stores: dict[str, str], tmp_path: Path
) -> None:
    ports = [free_port() for _ in range(5)]
    primary = server_of(tmp_path, SERVER, PASSWORD, port=ports[0])
    follows = REPLICA.replace("valkey1 6379", f"localhost {ports[0]}")
    replica = server_of(tmp_path, SERVER + follows, PASSWORD, port=ports[1])
    text = SENTINEL.replace("valkey1 6379", f"localhost {ports[0]}")
    sentinels = tuple(
        server_of(tmp_path, text, OF_SENTINELS, port=port, mode=("--sentinel",)) for port in ports[2:]
    )
    url = WATCHED
    for number, port in enumerate(ports[2:], 1):
        url = url.replace(f"valkey{number}:26379", f"localhost:{port}")
    with running((primary, replica, *sentinels)):
        await until_true(Watched((primary, replica), sentinels).is_whole)
        found = await findings(verbs, stores, url)
    assert found["Valkey"]["verdict"] == "ok"
    assert found["sentinels"]["found"] == f"3 of 3 name localhost:{ports[0]}"


async def test_a_cluster_is_set_up_as_the_page_says(
    verbs: Verbs, stores: dict[str, str], tmp_path: Path
) -> None:
    client = program("valkey-cli") or program("redis-cli")
    if client is None:
        pytest.skip(
            "not shown: how a cluster is joined; there is no valkey-cli (`make servers` installs redis-cli)"
        )
    nodes, create, url = [], CREATE, JOINED
    for number in range(1, 7):
        port = free_port()
        text = NODE + f"cluster-port {free_port()}\n"
        nodes.append(server_of(tmp_path, text, PASSWORD, port=port))
        create, url = (each.replace(f"10.0.0.{number}:6379", f"127.0.0.1:{port}") for each in (create, url))
    with running(nodes):
        words = shlex.split(create)
        assert words[0] == "valkey-cli"
        await asyncio.to_thread(subprocess.run, [client, *words[1:]], check=True, capture_output=True)
        await until_true(Joined(tuple(nodes)).is_whole)
        found = await findings(verbs, stores, url)
    for node in nodes[:3]:
        assert found[f"Valkey 127.0.0.1:{node.port}"]["verdict"] == "ok"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", ["sentinel", "cluster"])
def test_the_cost_is_measured_as_the_page_says(kind: str, tmp_path: Path) -> None:
    """In one short round, which judges nothing."""
    make, target, base, options = shlex.split(MEASURE.replace("cluster", kind))
    assert (make, target, base) == ("make", "bench-compare", "BASE=HEAD")
    words = options.removeprefix("BENCH=").split()
    short = ("--rounds", "1", "--seconds", "0.05", "--connections", "4", "--python", sys.executable)
    done = measure("compare", tmp_path, "--base", "HEAD", *words, *short)
    [result] = done.document["results"]
    assert result["scenario"] == "code_exchange"
    assert f"over {words[1]}" in done.report
