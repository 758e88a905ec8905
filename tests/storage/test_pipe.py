"""Many callers on one connection to Valkey: each hears its own reply, and what a failure came to."""

import asyncio
import gc
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from redis import Redis

from app.storage.errors import NotSentError, StoreUnavailableError
from app.storage.valkey.valkey import Valkey
from tests.support.changing import until, until_true
from tests.support.proxy import proxy_to
from tests.support.stores import put, take, valkey_socket


@asynccontextmanager
async def valkey_at(url: str, *, most_waiting: int = 1000, timeout_s: float = 1.0) -> AsyncIterator[Valkey]:
    valkey = Valkey(url, connections=4, most_waiting=most_waiting, timeout_s=timeout_s)
    yield valkey
    await valkey.close()


async def keep(valkey: Valkey, count: int) -> list[str]:
    keys = [f"pipe:{number}" for number in range(count)]
    for key in keys:
        await put(valkey, key, key.encode())
    return keys


def outcomes(results: Sequence[object]) -> set[object]:
    return {type(each) if isinstance(each, Exception) else each for each in results}


async def test_everybody_hears_their_own_reply_whoever_went_away(redis_url: str) -> None:
    """R-86: who gave up is skipped, and nobody else is given that reply."""
    chance = random.Random(23)  # noqa: S311  # delays, not secrets
    async with valkey_at(redis_url) as valkey:
        keys = await keep(valkey, 200)
        for start in range(0, 200, 50):
            some = keys[start : start + 50]
            asked = [asyncio.ensure_future(take(valkey, key)) for key in some]
            for each in chance.sample(asked, 25):
                await asyncio.sleep(chance.random() / 5000)
                each.cancel()
            for key, answer in zip(some, await asyncio.gather(*asked, return_exceptions=True), strict=True):
                assert answer == key.encode() or isinstance(answer, asyncio.CancelledError), answer


async def test_a_key_is_taken_once_however_many_ask(redis_url: str) -> None:
    async with valkey_at(redis_url) as first, valkey_at(redis_url) as second:
        (key,) = await keep(first, 1)
        taken = await asyncio.gather(*(take(valkey, key) for valkey in (first, second) * 20))
    assert sorted(taken, key=bool)[-2:] == [None, key.encode()]


async def test_silence_leaves_the_outcome_open_and_the_next_begins_anew(redis_url: str) -> None:
    """R-88: it accepts and never answers."""
    socket = valkey_socket(redis_url)
    async with (
        proxy_to(socket) as proxy,
        valkey_at(redis_url.replace(socket, proxy.path), timeout_s=0.2) as valkey,
    ):
        keys = await keep(valkey, 3)
        assert await take(valkey, keys[0]) == keys[0].encode()
        proxy.fall_silent()
        began = time.monotonic()
        results = await asyncio.gather(*map(partial(take, valkey), keys), return_exceptions=True)
        assert outcomes(results) == {StoreUnavailableError}
        assert time.monotonic() - began < 1
        proxy.speak()
        assert await take(valkey, "pipe:none") is None


async def test_a_server_that_answers_no_connection_is_left_alone_for_a_moment(redis_url: str) -> None:
    """R-88: meanwhile callers hear at once that nothing was sent, and later all is well."""
    socket = valkey_socket(redis_url)
    async with (
        proxy_to(socket) as proxy,
        valkey_at(redis_url.replace(socket, proxy.path), timeout_s=0.4) as valkey,
    ):
        proxy.fall_silent()
        for least_s, most_s in ((0.4, 2.0), (0.0, 0.2)):
            began = time.monotonic()
            results = await asyncio.gather(valkey.get("pipe:none"), return_exceptions=True)
            assert outcomes(results) == {NotSentError}
            assert least_s <= time.monotonic() - began < most_s
        proxy.speak()
        await until_true(partial(_answers, valkey), patience_s=2)


async def _answers(valkey: Valkey) -> bool:
    try:
        return await valkey.get("pipe:none") is None
    except NotSentError:
        return False


async def test_a_loop_that_stalled_reads_before_it_judges(redis_url: str) -> None:
    async with valkey_at(redis_url, timeout_s=0.2) as valkey:
        (key,) = await keep(valkey, 1)
        await take(valkey, "pipe:none")
        taking = asyncio.create_task(take(valkey, key))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(time.sleep, 0.4)
        assert await taking == key.encode()


async def test_a_refused_command_fails_alone(redis_url: str) -> None:
    """A reply that is an error ends the use of the connection, and nothing that was sent on it."""
    async with valkey_at(redis_url) as valkey:
        (key,) = await keep(valkey, 1)
        await valkey.run("return redis.call('RPUSH', KEYS[1], 'x')", ["pipe:list"], [])
        results = await asyncio.gather(take(valkey, "pipe:list"), take(valkey, key), return_exceptions=True)
        assert outcomes(results) == {StoreUnavailableError, key.encode()}
        assert await take(valkey, key) is None
        await valkey.run("return redis.call('DEL', KEYS[1])", ["pipe:list"], [])


async def test_so_many_may_wait_and_no_more(redis_url: str) -> None:
    async with valkey_at(redis_url, most_waiting=5) as valkey:
        await take(valkey, "pipe:none")
        results = await asyncio.gather(*(take(valkey, "pipe:none") for _ in range(8)), return_exceptions=True)
    assert [type(each) for each in results].count(NotSentError) == 3


async def test_a_crowd_is_never_turned_away_from_deleting(redis_url: str) -> None:
    """R-94: however few may wait to read."""
    async with valkey_at(redis_url, most_waiting=1) as valkey:
        keys = await keep(valkey, 300)
        await asyncio.gather(*map(valkey.delete, keys))
        assert [await valkey.get(key) for key in keys] == [None] * 300


async def test_what_is_deleted_soon_is_one_command_ahead_of_the_next(redis_url: str) -> None:
    """Who asks for such a key in the same turn hears that it is gone."""
    async with valkey_at(redis_url) as valkey:
        keys = await keep(valkey, 300)
        with Redis.from_url(redis_url) as other, other.monitor() as monitor:
            for key in keys:
                valkey.delete_soon(key)
            assert await valkey.get(keys[0]) is None
            heard = [next(monitor.listen())["command"] for _ in range(2)]
        assert [each.split(" ", 1)[0] for each in heard] == ["DEL", "GETEX"]
        assert len(heard[0].split()) == 301
        assert [await valkey.get(key) for key in keys] == [None] * 300


async def test_what_is_deleted_soon_is_gone_a_moment_later_though_nobody_asks(redis_url: str) -> None:
    async with valkey_at(redis_url) as valkey:
        for _ in range(2):
            (key,) = await keep(valkey, 1)
            valkey.delete_soon(key)
            with Redis.from_url(redis_url) as other:
                assert await until(partial(is_gone, other, key)) < 1


def is_gone(valkey: Redis, key: str) -> bool:
    return not valkey.exists(key)


async def test_what_cannot_be_deleted_soon_is_told_to_nobody(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends by itself. Python would tell of a failure that nobody reads."""
    socket = valkey_socket(redis_url)
    async with (
        proxy_to(socket) as proxy,
        valkey_at(redis_url.replace(socket, proxy.path), timeout_s=0.2) as valkey,
    ):
        valkey.delete_soon("pipe:none")  # there is no connection yet
        (key,) = await keep(valkey, 1)
        proxy.lose_reply(to=b"DEL")
        valkey.delete_soon(key)
        with pytest.raises(StoreUnavailableError):
            await asyncio.gather(*(valkey._call("GET", key) for _ in range(2)))
        assert await valkey.get(key) is None
    gc.collect()
    await asyncio.sleep(0)
    assert "never retrieved" not in caplog.text


async def test_a_delete_whose_reply_is_lost_is_sent_again(redis_url: str) -> None:
    """R-5: to delete twice changes nothing."""
    socket = valkey_socket(redis_url)
    async with (
        proxy_to(socket) as proxy,
        valkey_at(redis_url.replace(socket, proxy.path)) as valkey,
    ):
        (key,) = await keep(valkey, 1)
        proxy.lose_reply(to=b"DEL")
        await valkey.delete(key)
        assert await valkey.get(key) is None


async def test_without_a_server_nothing_was_sent() -> None:
    """All who wait for the connection hear of its failure, and the next try is a new one."""
    async with valkey_at("unix:///nowhere/valkey.sock") as valkey:
        for _ in range(2):
            results = await asyncio.gather(*map(partial(take, valkey), "abc"), return_exceptions=True)
            assert outcomes(results) == {NotSentError}


async def test_it_speaks_over_tls(redis_url: str, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with proxy_to(valkey_socket(redis_url)) as proxy:
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        password = urlsplit(redis_url).password
        async with valkey_at(f"rediss://:{password}@127.0.0.1:{port}?ssl_ca_certs={certificate}") as valkey:
            keys = await keep(valkey, 50)
            assert await asyncio.gather(*map(partial(take, valkey), keys)) == [key.encode() for key in keys]
        server.close()


def make_certificate(folder: Path) -> Path:
    """Key and certificate of 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path


async def test_a_connection_that_the_server_closed_in_the_silence_is_replaced_before_anything_is_sent(
    redis_url: str,
) -> None:
    """Valkey's `timeout`, or a clean restart: the kernel knows, and this loop has not heard of it."""
    async with valkey_at(redis_url) as valkey:
        asks: list[Callable[[str], Awaitable[object]]]
        asks = [partial(take, valkey), mark_through(valkey), decide_through(valkey)]
        for number, ask in enumerate(asks):
            (key,) = await keep(valkey, 1)
            name = await valkey._call("CLIENT", "ID")
            with Redis.from_url(redis_url) as other:
                time.sleep(0.15)  # noqa: ASYNC251  # the loop must not hear of what comes
                other.execute_command("CLIENT", "KILL", "ID", name)
            assert await ask(f"{key}" if number == 0 else f"pipe:closed:{time.time_ns()}")


def mark_through(valkey: Valkey) -> Callable[[str], Awaitable[object]]:
    return partial(valkey.mark, life_ms=1000)


def decide_through(valkey: Valkey) -> Callable[[str], Awaitable[object]]:
    return lambda key: valkey.run(SET_ONCE, [key], [1000])


SET_ONCE = (
    "return {redis.call('SET', KEYS[1], 'x', 'NX', 'PX', ARGV[1]), redis.call('INCR', KEYS[1] .. ':runs')}"
)


async def test_in_doubt_a_script_is_run_once_more_and_nothing_else_is(redis_url: str) -> None:
    """R-5: the reply is lost once. A use that was marked, and perhaps was not, is not marked again."""
    socket, key = valkey_socket(redis_url), f"pipe:{{doubt}}:{time.time_ns()}"
    async with (
        proxy_to(socket) as proxy,
        valkey_at(redis_url.replace(socket, proxy.path)) as valkey,
    ):
        proxy.lose_reply(to=b"EVAL")
        assert await valkey.run(SET_ONCE, [key], [60_000]) == [None, 2]
        proxy.lose_reply(to=b"SET")
        with pytest.raises(StoreUnavailableError) as lost:
            await valkey.mark(f"{key}:mark", life_ms=60_000)
        assert not isinstance(lost.value, NotSentError)
        assert await valkey.mark(f"{key}:mark", life_ms=60_000) is False
        await valkey.run("return redis.call('DEL', KEYS[1], KEYS[1] .. ':runs')", [key], [])


async def test_what_waits_on_a_connection_that_was_given_up_still_hears_its_reply(redis_url: str) -> None:
    """An error of one caller opens the next connection at once, and ends nobody else's wait."""
    async with valkey_at(redis_url) as valkey:
        keys = await keep(valkey, 20)
        await valkey.run("return redis.call('RPUSH', KEYS[1], 'x')", ["pipe:list"], [])

        async def fail_and_ask_again() -> object:
            with pytest.raises(StoreUnavailableError):
                await take(valkey, "pipe:list")
            return await take(valkey, keys[0])

        asking = asyncio.create_task(fail_and_ask_again())
        for _ in range(3):
            await asyncio.sleep(0)
        time.sleep(0.01)  # noqa: ASYNC251  # the error waits here while the others are sent
        slow = valkey.run("local n = 0 while n < 3000000 do n = n + 1 end return 1", [], [])
        results = await asyncio.gather(asking, slow, *map(partial(take, valkey), keys[1:]))
        assert results == [keys[0].encode(), 1, *(key.encode() for key in keys[1:])]
        await valkey.run("return redis.call('DEL', KEYS[1])", ["pipe:list"], [])
