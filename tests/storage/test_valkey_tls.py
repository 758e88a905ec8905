"""TLS and accounts hold for every connection: to the sentinels, to the primary they name, and to each node of a cluster."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from app.storage.errors import NotSentError
from bench.ground.cluster import cluster_nodes, join
from bench.ground.valkeys import NAME, Valkey, new_sentinel, new_valkey, running, until_true
from tests.storage.test_pipe import keep, make_certificate, valkey_at
from tests.support.proxy import Proxy
from tests.support.server import free_port
from tests.support.stores import take

# What the servers of compose.yaml give the service, and what is enough at a sentinel.
SERVICE = ("rovitracker", "on", ">p@ss word", "~*", "&*", "+@all", "-@admin", "-@dangerous", "+info")
WATCHER = (
    "watcher",
    "on",
    ">w@tch",
    "&*",
    "-@all",
    "+hello",
    "+client|setinfo",
    "+sentinel|master",
    "+subscribe",
)
AS_SERVICE, AS_WATCHER = "rovitracker:p%40ss%20word", "sentinel_username=watcher&sentinel_password=w%40tch"


@asynccontextmanager
async def tls_before(server: Valkey, certificate: Path, *, port: int = 0) -> AsyncIterator[int]:
    """A port where TLS ends before a server that has none. What comes without it passes, since sentinels here have none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    proxy, loop = Proxy(server.port), asyncio.get_running_loop()

    async def take(session: socket.socket) -> None:
        first = await asyncio.to_thread(session.recv, 1, socket.MSG_PEEK)
        session.setblocking(False)
        reader = asyncio.StreamReader()
        with suppress(OSError):  # a client that does not trust us
            await loop.connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader, proxy.serve),
                session,
                ssl=context if first == b"\x16" else None,
            )

    async def take_all(listening: socket.socket) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                session, _ = await loop.sock_accept(listening)
                session.settimeout(5)
                group.create_task(take(session))

    with socket.create_server(("127.0.0.1", port)) as listening:
        listening.setblocking(False)
        taking = asyncio.create_task(take_all(listening))
        try:
            yield listening.getsockname()[1]
        finally:
            taking.cancel()
            await asyncio.wait([taking])
            await proxy.close()


async def test_sentinels_and_primary_are_reached_over_tls_with_an_account_each(tmp_path: Path) -> None:
    certificate, told = make_certificate(tmp_path), free_port()
    primary = new_valkey(tmp_path, "ofserver")
    watch = (f"sentinel monitor {NAME} 127.0.0.1 {told} 1", f"sentinel auth-pass {NAME} ofserver")
    sentinel = new_sentinel(tmp_path, "ofsentinel", watch)
    with running([primary]):
        async with tls_before(primary, certificate, port=told):
            with running([sentinel]):
                await primary.tell("ACL", "SETUSER", *SERVICE)
                await sentinel.tell("ACL", "SETUSER", *WATCHER)
                async with tls_before(sentinel, certificate) as port:
                    at = f"{AS_SERVICE}@127.0.0.1:{port}/{NAME}/0?{AS_WATCHER}"
                    trust = f"&ssl_ca_certs={certificate}"
                    async with valkey_at(f"rediss+sentinel://{at}{trust}") as valkey:
                        keys = await keep(valkey, 50)
                        taken = await asyncio.gather(*map(partial(take, valkey), keys))
                        assert taken == [key.encode() for key in keys]
                        await valkey.check_writable()
                        await until_true(lambda: is_listened_to(sentinel))
                    async with valkey_at(f"rediss+sentinel://{at}") as valkey:
                        with pytest.raises(NotSentError, match="certificate"):
                            await take(valkey, "pipe:1")
                    wrong = at.replace("p%40ss", "other")
                    async with valkey_at(f"rediss+sentinel://{wrong}{trust}") as valkey:
                        with pytest.raises(NotSentError, match="AuthenticationError"):
                            await take(valkey, "pipe:1")


async def is_listened_to(sentinel: Valkey) -> bool:
    clients = str(await sentinel.tell("CLIENT", "LIST")).splitlines()
    return any("user=watcher" in client and " sub=1 " in client for client in clients)


async def test_each_node_of_a_cluster_is_reached_over_tls_with_an_account(tmp_path: Path) -> None:
    """Redirections lead to the ports of TLS, too."""
    certificate = make_certificate(tmp_path)
    with cluster_nodes(tmp_path, 6) as cluster:
        await join(cluster)
        async with AsyncExitStack() as stack:
            ports = []
            for node in cluster.nodes:
                ports.append(await stack.enter_async_context(tls_before(node, certificate)))
                await node.tell("CONFIG", "SET", "cluster-announce-client-port", str(ports[-1]))
                await node.tell("ACL", "SETUSER", *SERVICE)
            await until_true(lambda: knows_ports(cluster.nodes[0], ports))
            at = f"{AS_SERVICE}@127.0.0.1:{ports[0]}"
            async with valkey_at(f"rediss+cluster://{at}?ssl_ca_certs={certificate}") as valkey:
                keys = await keep(valkey, 50)
                assert await asyncio.gather(*map(partial(take, valkey), keys)) == [
                    key.encode() for key in keys
                ]
                await valkey.check_writable()
                assert {int(name.rpartition(":")[2]) for name in await valkey.servers()} == set(ports[:3])
            async with valkey_at(f"rediss+cluster://{at}") as valkey:
                with pytest.raises(NotSentError, match="certificate"):
                    await take(valkey, "pipe:1")


async def knows_ports(node: Valkey, ports: list[int]) -> bool:
    """Whether it tells clients the ports of TLS."""
    slots = await node.tell("CLUSTER", "SLOTS")
    return {primary[1] for _, _, primary, *_ in slots} == set(ports[:3])
