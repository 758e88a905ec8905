"""What docs/operators.md says about growing is run as it stands, on ports of this machine."""

import ast
import asyncio
import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from app.storage.errors import NotSentError
from app.storage.valkey.valkey import Valkey as Store
from bench.ground.cluster import Joined
from bench.ground.valkeys import Valkey, Watched, running, until_true
from tests.bench.programs import measure
from tests.storage.test_pipe import keep, valkey_at
from tests.storage.test_valkey_tls import SERVICE as RIGHTS
from tests.storage.test_valkey_tls import WATCHER
from tests.support.debian import program
from tests.support.depth import too_long
from tests.support.growing import blocks, pages
from tests.support.server import ROOT, free_port
from tests.support.syntax import nodes_of
from tests.support.verbs import Verbs

SERVER, REPLICA, SENTINEL, WATCHED = blocks("A Valkey that survives its machine")
NODE, CREATE, JOINED, MEASURE = blocks("A Valkey that is many")
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


@too_long("a primary without replicas takes no writes")
async def test_a_primary_that_was_cut_off_from_two_replicas_takes_no_writes(tmp_path: Path) -> None:
    """With the line that the page says for it, and the server's own ten seconds."""
    line = "min-replicas-to-write 1"
    assert f"`{line}`" in pages()["A Valkey that survives its machine"]
    ports = [free_port() for _ in range(3)]
    primary = server_of(tmp_path, f"{SERVER}{line}\n", PASSWORD, port=ports[0])
    follows = SERVER + REPLICA.replace("valkey1 6379", f"localhost {ports[0]}")
    replicas = [server_of(tmp_path, follows, PASSWORD, port=port) for port in ports[1:]]
    with running((primary, *replicas)):
        async with valkey_at(f"redis://:{PASSWORD}@127.0.0.1:{ports[0]}") as valkey:
            for each in replicas:
                await until_true(each.is_in_step)
            assert await valkey.mark("growing:used", life_ms=60_000)
            for each in replicas:
                each.fall_silent()
            began = monotonic()
            assert await valkey.get("growing:used") == b""
            await until_true(partial(refuses_writes, valkey))
            with pytest.raises(NotSentError, match="NOREPLICAS"):
                await valkey.mark("growing:lost", life_ms=60_000)
            assert monotonic() - began < 13
            for each in replicas:
                each.wake()
            await until_true(partial(takes_writes, valkey))


async def takes_writes(valkey: Store) -> bool:
    with suppress(NotSentError):
        await valkey.check_writable()
        return True
    return False


async def refuses_writes(valkey: Store) -> bool:
    return not await takes_writes(valkey)


@pytest.fixture
def client() -> str:
    found = program("valkey-cli") or program("redis-cli")
    if found is None:
        pytest.skip(
            "not shown: how a cluster is joined; there is no valkey-cli (`make servers` installs redis-cli)"
        )
    return found


async def test_a_cluster_is_set_up_as_the_page_says(
    verbs: Verbs, stores: dict[str, str], tmp_path: Path, client: str
) -> None:
    """Then slots move by the command that the page names, while their keys are asked for, and none is missed."""
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
        async with valkey_at(url.strip().split("=", 1)[1]) as valkey:
            keys = await keep(valkey, 300)
            moving = asyncio.create_task(reshard(client, nodes))
            while not moving.done():
                values = await asyncio.gather(*map(valkey.get, keys))
                assert values == [key.encode() for key in keys]
            await moving
    for node in nodes[:3]:
        assert found[f"Valkey 127.0.0.1:{node.port}"]["verdict"] == "ok"


async def reshard(client: str, nodes: Sequence[Valkey]) -> None:
    """Move a hundred slots from the first node to the second."""
    assert "`valkey-cli --cluster reshard`" in pages()["A Valkey that is many"]
    source, target = [str(await node.tell("CLUSTER", "MYID")) for node in nodes[:2]]
    command = [client, "-a", PASSWORD, "--cluster", "reshard", f"127.0.0.1:{nodes[0].port}", "--cluster-yes"]
    command += ["--cluster-from", source, "--cluster-to", target, "--cluster-slots", "100"]
    before = await slots_of(nodes[1])
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    assert await slots_of(nodes[1]) == before + 100


async def slots_of(node: Valkey) -> int:
    ranges = await node.tell("CLUSTER", "SLOTS")
    return sum(last - first + 1 for first, last, primary, *_ in ranges if primary[1] == node.port)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "kind", [pytest.param("sentinel", marks=too_long("the cost over sentinels is measured")), "cluster"]
)
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


# Commands within the sentences of the pages, and where they are run.
IN_SENTENCES = {
    "apt install patroni etcd-server": "`make check-failover` installs them by tests/support/debian.py",
    "make check-containers": "it needs an engine; tests/distributed runs the servers and steps without one",
    "make check-failover": "the suite has each kind of fail-over once, in tests/failover",
    "make check-distributed": "it needs the programs of Citus; the suite runs its SQL on a plain server, in tests/storage",
    "make check-distributed CITUS_BIN=/usr/lib/postgresql/18/bin": "likewise",
    "migrate distribute": "tests/distributed/test_distribution.py, and tests/storage/test_distributed.py without Citus",
    "rovitracker doctor": "here, and in tests/cli/test_doctor_of_valkeys.py",
    "valkey-cli --cluster reshard": "here",
    "valkey-server sentinel.conf --sentinel": "here",
}
PROGRAMS = re.compile(
    r"(?:apt|curl|docker|make|migrate|patronictl|pg_\w+|psql|redis-\w+|rovitracker|systemctl|valkey-\w+) "
)


def test_each_page_is_run_by_one_module() -> None:
    """It unpacks the blocks of the page, so it fails when there is one more or less."""
    calls = Counter(
        call.args[0].value
        for file in (ROOT / "tests").rglob("*.py")
        if ".venv" not in file.parts  # a check of other programs keeps its packages below
        for call in nodes_of(file)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "blocks"
        if isinstance(call.args[0], ast.Constant)
    )
    assert calls == Counter(heading for heading in pages() if blocks(heading))


def test_each_command_in_a_sentence_is_run_too() -> None:
    text = re.sub(r"```\n.*?```", "", "\n".join(pages().values()), flags=re.DOTALL)
    commands = {span for span in re.findall(r"`([^`\n]+)`", text) if PROGRAMS.match(span)}
    assert commands == IN_SENTENCES.keys()


def test_the_rights_that_the_page_names_are_those_that_are_tried() -> None:
    text = pages()["A Valkey that is many"]
    assert f"`{' '.join(RIGHTS[3:])}`" in text
    assert f"`{' '.join(WATCHER[5:])}`, and `&*`" in text
