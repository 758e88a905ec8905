"""Each key goes to the node that serves its slot, also while slots move and after a node was lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from redis.crc import key_slot

from app.storage.errors import NotSentError, OtherKindError, StoreUnavailableError
from app.storage.valkey.valkey import Valkey
from bench.ground.cluster import Joined, cluster_nodes, join
from bench.ground.valkeys import until_true
from tests.storage.test_pipe import keep, outcomes, valkey_at
from tests.support.stores import put, take

TAKE_BOTH = "return {redis.call('GETDEL', KEYS[1]), redis.call('GETDEL', KEYS[2])}"


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Joined]:
    with cluster_nodes(tmp_path_factory.mktemp("cluster")) as cluster:
        await join(cluster)
        yield cluster


async def key_at(cluster: Joined, number: int) -> str:
    """A key that the node of this number serves, and no test used before."""
    node = cluster.nodes[number]
    for each in count(time.monotonic_ns()):
        if await cluster.owner_of(key := f"cluster:{{{each}}}:a") is node:
            return key
    raise AssertionError


async def put_all(valkey: Valkey, *keys: str) -> None:
    for key in keys:
        await put(valkey, key, key.encode())


async def test_each_key_goes_to_its_node_over_one_connection_a_node(cluster: Joined) -> None:
    before = [await connections(cluster, number) for number in range(3)]
    async with valkey_at(cluster.url) as valkey:
        keys = await keep(valkey, 200)
        assert await asyncio.gather(*map(partial(take, valkey), keys)) == [key.encode() for key in keys]
        assert {(await cluster.owner_of(key)).port for key in keys} == {
            node.port for node in cluster.nodes[:3]
        }
        await valkey.check_writable()
        assert len(await valkey.servers()) == 3
        after = [await connections(cluster, number) for number in range(3)]
    assert [each - former for each, former in zip(after, before, strict=True)] == [1, 1, 1]


async def test_what_is_deleted_soon_is_gone_from_each_node(cluster: Joined) -> None:
    """Ahead of the next command to its node, or a moment later where none comes."""
    async with valkey_at(cluster.url) as valkey, valkey_at(cluster.url) as other:
        keys = await keep(valkey, 200)
        for key in keys:
            valkey.delete_soon(key)
        assert await asyncio.gather(*map(valkey.get, keys[:100])) == [None] * 100
        await until_true(partial(all_are_gone, other, keys))


async def all_are_gone(valkey: Valkey, keys: list[str]) -> bool:
    return set(await asyncio.gather(*map(valkey.get, keys))) == {None}


async def connections(cluster: Joined, number: int) -> int:
    listed = str(await cluster.nodes[number].tell("CLIENT", "LIST", "TYPE", "normal"))
    return len(listed.splitlines())


async def test_a_slot_that_moves_loses_no_key(cluster: Joined) -> None:
    """ASK for a key that went ahead, MOVED once the slot is there: nobody hears of either."""
    key = await key_at(cluster, 0)
    slot, (source, target, _) = key_slot(key.encode()), cluster.nodes[:3]
    other, new = key.replace(":a", ":b"), key.replace(":a", ":c")
    async with valkey_at(cluster.url) as valkey:
        await put_all(valkey, key, other)
        await cluster.begin_move(slot, source, target)
        assert await take(valkey, other) == other.encode()  # still at the source
        await put_all(valkey, other)
        await cluster.move_keys(slot, source, target)
        assert await take(valkey, key) == key.encode()  # ahead of its slot
        await put_all(valkey, new)  # a new one is made where the slot goes
        await cluster.end_move(slot, source, target)
        assert await valkey.run(TAKE_BOTH, [other, new], []) == [other.encode(), new.encode()]
        assert await cluster.owner_of(key, by=target) is target
    async with valkey_at(cluster.url) as valkey:
        await put_all(valkey, key)
        await cluster.begin_move(slot, target, source)
        await cluster.move_keys(slot, target, source)
        await cluster.end_move(slot, target, source)
        assert await take(valkey, key) == key.encode()


async def test_a_script_whose_keys_are_on_two_nodes_waits_for_its_slot(cluster: Joined) -> None:
    """TRYAGAIN: within the time for one command it is tried again, and after it nothing took effect."""
    key = await key_at(cluster, 0)
    slot, (source, target, _) = key_slot(key.encode()), cluster.nodes[:3]
    other = key.replace(":a", ":b")
    async with valkey_at(cluster.url) as valkey:
        await put_all(valkey, key)
        await cluster.begin_move(slot, source, target)
        began = time.monotonic()
        with pytest.raises(NotSentError, match="TRYAGAIN"):
            await valkey.run(TAKE_BOTH, [key, other], [])
        assert 0.5 < time.monotonic() - began < 1.5
        taking = asyncio.create_task(valkey.run(TAKE_BOTH, [key, other], []))
        await asyncio.sleep(0.1)
        await cluster.move_keys(slot, source, target)
        await cluster.end_move(slot, source, target)
        assert await taking == [key.encode(), None]
        await cluster.begin_move(slot, target, source)
        await cluster.end_move(slot, target, source)


async def test_a_node_that_changed_places_with_its_replica_is_left(cluster: Joined) -> None:
    """Both live: the former primary leads to the new one, and nothing is read from it."""
    former, replica = cluster.nodes[1], cluster.nodes[4]
    key = await key_at(cluster, 1)
    async with valkey_at(cluster.url) as valkey:
        await put_all(valkey, key)
        await replica.tell("CLUSTER", "FAILOVER")
        await until_true(replica.is_primary)
        assert await take(valkey, key) == key.encode()
        await until_true(cluster.is_whole)
        await former.tell("CLUSTER", "FAILOVER")
        await until_true(former.is_primary)
        await put_all(valkey, key)
        assert await take(valkey, key) == key.encode()
    await until_true(cluster.is_whole)


async def test_a_lost_node_stops_its_keys_alone_until_its_replica_took_over(cluster: Joined) -> None:
    """R-88: who asked it does not know the outcome, or hears at once that nothing was sent."""
    lost, replica = cluster.nodes[2], cluster.nodes[5]
    gone, standing = await key_at(cluster, 2), await key_at(cluster, 0)
    async with valkey_at(cluster.url) as valkey:
        await put_all(valkey, gone, standing)
        lost.fall_silent()
        asked = asyncio.gather(*(take(valkey, gone) for _ in range(20)), return_exceptions=True)
        assert await take(valkey, standing) == standing.encode()
        assert outcomes(await asked) <= {StoreUnavailableError, NotSentError}
        lost.kill()
        began = time.monotonic()
        assert await once_back(lambda: take(valkey, gone)) == gone.encode()
        assert time.monotonic() - began < 5
        assert await cluster.owner_of(gone) is replica
        lost.start()
        await until_true(cluster.is_whole)
        await lost.tell("CLUSTER", "FAILOVER")
        await until_true(lost.is_primary)
    await until_true(cluster.is_whole)


async def once_back(ask: Callable[[], Awaitable[bytes | None]]) -> bytes | None:
    """The reply to what is asked again as long as nothing was sent."""
    while True:
        try:
            return await ask()
        except NotSentError:
            await asyncio.sleep(0.05)


async def test_an_address_that_leads_to_no_cluster_says_what_to_write(
    tmp_path: Path, cluster: Joined
) -> None:
    with cluster_nodes(tmp_path, 1) as alone:
        async with valkey_at(alone.url) as valkey:
            with pytest.raises(OtherKindError, match=r"serves no slot .*: join the nodes by"):
                await take(valkey, "a")
    async with valkey_at(cluster.url.replace("redis+cluster", "redis").partition(",")[0]) as valkey:
        with pytest.raises(OtherKindError, match=r"write redis\+cluster:// before its address"):
            await asyncio.gather(*(take(valkey, key) for key in "abcdef"))
