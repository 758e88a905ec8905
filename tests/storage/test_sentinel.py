"""The primary is the one that the sentinels name and that says it is one, whatever became of the former."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import urlsplit

import pytest

from app.storage.errors import NotSentError, OtherKindError
from app.storage.valkey.valkey import Valkey
from bench.ground.valkeys import NAME, Watched, until_true, watched_valkeys
from tests.storage.test_pipe import keep, valkey_at
from tests.support.stores import take


@pytest.fixture(scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    with watched_valkeys(tmp_path_factory.mktemp("watched")) as watched:
        await watched.hasten()
        yield watched


async def port_of(valkey: Valkey) -> int:
    """The server that it asks."""
    [server] = (await valkey.servers()).values()
    return int((await server.info())["tcp_port"])


async def test_commands_go_to_the_primary_that_the_sentinels_name(watched: Watched) -> None:
    async with valkey_at(watched.url) as valkey:
        keys = await keep(valkey, 50)
        assert await asyncio.gather(*map(partial(take, valkey), keys)) == [key.encode() for key in keys]
        await valkey.check_writable()
        assert await port_of(valkey) == await watched.primary_port()


async def test_a_primary_that_is_none_any_more_is_left_before_it_knows(watched: Watched) -> None:
    """Both live, and the former takes writes for some seconds yet, which will be lost."""
    async with valkey_at(watched.url) as valkey:
        await keep(valkey, 3)
        former = watched.server_at(await watched.primary_port())
        await watched.fail_over()
        began = time.monotonic()
        while await port_of(valkey) == former.port:
            assert time.monotonic() - began < 1
        assert await former.is_primary()
        assert await port_of(valkey) == await watched.primary_port()
        assert await take(valkey, "pipe:1") == b"pipe:1"
    await until_true(watched.is_whole)


async def test_a_replica_that_is_still_named_as_the_primary_is_refused(watched: Watched) -> None:
    """Somebody demoted it by hand. What it has is neither read nor taken."""
    primary = watched.server_at(await watched.primary_port())
    async with valkey_at(watched.url) as valkey:
        (key,) = await keep(valkey, 1)
        await primary.tell("REPLICAOF", "127.0.0.1", "1")
        for _ in range(2):
            with pytest.raises(NotSentError, match="named as the primary, and is none"):
                await take(valkey, key)
        await primary.follow(None)
        assert await take(valkey, key) == key.encode()
    await until_true(watched.is_whole)


async def test_a_sentinel_that_slept_through_a_fail_over_misleads_nobody(watched: Watched) -> None:
    """One sentinel is silent, and then another. The latest fail-over counts, and no silence is waited out."""
    first, _, third = watched.sentinels
    third.fall_silent()
    async with valkey_at(watched.url) as valkey:
        began = time.monotonic()
        await valkey.check_writable()
        assert time.monotonic() - began < 0.4
    await watched.fail_over()
    port = await watched.primary_port()
    async with valkey_at(watched.url) as valkey:
        assert await port_of(valkey) == port
    third.wake()
    first.fall_silent()
    async with valkey_at(watched.url) as valkey:
        assert await port_of(valkey) == port
    first.wake()
    await until_true(watched.is_whole)


async def test_without_a_sentinel_nothing_was_sent_and_nobody_waits_long(watched: Watched) -> None:
    for each in watched.sentinels:
        each.fall_silent()
    try:
        async with valkey_at(watched.url) as valkey:
            began = time.monotonic()
            with pytest.raises(NotSentError, match="no sentinel answers"):
                await take(valkey, "pipe:1")
            assert time.monotonic() - began < 1.5
    finally:
        for each in watched.sentinels:
            each.wake()
    await until_true(watched.is_whole)


async def test_an_address_that_leads_to_no_sentinel_says_what_to_write(watched: Watched) -> None:
    own, theirs = watched.servers[0].password, watched.sentinels[0].password
    hosts = urlsplit(watched.url).netloc.rpartition("@")[2]
    server = f"127.0.0.1:{watched.servers[0].port}"
    for url, said in {
        watched.url.replace(NAME, "other"): "knows no primary 'other': name one of those that `valkey-cli",
        f"redis+sentinel://:{own}@{server}/{NAME}?sentinel_password={own}": f"{server} is no sentinel",
        f"redis+sentinel://:{own}@{hosts}/{NAME}": "add sentinel_username and sentinel_password",
        f"redis+sentinel://:{own}@{hosts}/{NAME}?sentinel_password=wrong": "refuses the account",
    }.items():
        async with valkey_at(url) as valkey:
            with pytest.raises(OtherKindError, match=r"ROVITRACKER|valkey-cli|redis://") as refused:
                await take(valkey, "pipe:1")
            assert said in str(refused.value)
            assert [secret for secret in (own, theirs) if secret in str(refused.value)] == []
