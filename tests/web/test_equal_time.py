"""Time tells no more than the answer does: whether an application is known is not in how long its refusal takes."""

import random
import re
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from time import perf_counter_ns, sleep
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from app.context import Context
from tests.support.assertions import KEY_OF, by_assertion, claims_of, key_pair, register_keyed, signed
from tests.support.depth import DEPTH
from tests.support.people import World
from tests.support.raw import post
from tests.support.server import free_port, running_service, settings_on

pytestmark = pytest.mark.alone

PAIRS = 300 * DEPTH
TOKEN, INTROSPECT, REVOKE = (f"/app/oauth2/{name}" for name in ("token", "introspect", "revoke"))

# How often one took longer than the other, of all the ways to pair them: 0.5 for two of one kind. They are asked in
# turns, so what else the machine does stretches both. Four standard deviations of 300 pairs, and eight of 3,000.
MOST_MEASUREMENTS = 10
MOST_APART = 0.08 if DEPTH == 1 else 0.06

REFUSAL = re.compile(rb'/docs#error-invalid_client","reference":"[0-9a-f]{32}"\}\Z')


@pytest.fixture(scope="module")
async def port(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[int]:
    port = free_port()
    settings = {
        **settings_on(database_url, redis_url, tmp_path_factory.mktemp("times")),
        "ROVITRACKER_LOG_LEVEL": "error",
        "ROVITRACKER_LIMIT_FAILURES": "1000000",
        "ROVITRACKER_LIMIT_QUEUE_WAIT": "5s",
    }
    async with running_service(port=port, settings=settings):
        yield port


class Caller:
    """One connection, and how long each of its requests takes."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)

    def refused_after_us(self, request: bytes) -> float:
        began = perf_counter_ns()
        self._socket.sendall(request)
        answer = self._socket.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 401 "), answer
        while not REFUSAL.search(answer):
            more = self._socket.recv(65_536)
            assert more, answer
            answer += more
        took = perf_counter_ns() - began
        return took / 1000

    def close(self) -> None:
        self._socket.close()


def share_longer(port: int, one: Callable[[], bytes], other: Callable[[], bytes]) -> float:
    """How likely a request of one kind takes longer than one of the other: the statistic of Mann and Whitney."""
    caller = Caller(port)
    times: dict[Callable[[], bytes], list[float]] = {one: [], other: []}
    try:
        for round_number in range(PAIRS + 20):
            for make in random.sample((one, other), 2):
                took = caller.refused_after_us(make())
                if round_number >= 20:  # what is not remembered yet is looked up once
                    times[make].append(took)
    finally:
        caller.close()
    return sum(mine > theirs for mine in times[one] for theirs in times[other]) / PAIRS**2


def assert_alike(port: int, one: Callable[[], bytes], other: Callable[[], bytes]) -> None:
    """Measured again where something else came in between; a difference that is there stays, however often it is measured."""
    shares: list[float] = []
    while not shares or abs(shares[-1] - 0.5) >= MOST_APART:
        assert len(shares) < MOST_MEASUREMENTS, shares
        sleep(0.2 * len(shares))  # a crowd on the machine passes
        shares.append(share_longer(port, one, other))


def by_secret(client_id: str, path: str) -> bytes:
    fields = {"client_id": client_id, "client_secret": "rovi_cs_wrong", "token": "x", "code": "x"}
    return post(urlencode(fields).encode(), path=path.encode())


def by_basic(client_id: str, path: str) -> bytes:
    credentials = b64encode(f"{client_id}:wrong".encode())
    return post(b"token=x&code=x", b"Authorization: Basic " + credentials, path=path.encode())


def without(client_id: str, path: str) -> bytes:
    return post(urlencode({"client_id": client_id, "token": "x", "code": "x"}).encode(), path=path.encode())


@pytest.mark.parametrize("path", [TOKEN, INTROSPECT, REVOKE])
@pytest.mark.parametrize("ask", [by_secret, by_basic, without])
async def test_wrong_secret_takes_as_long_as_an_unknown_application(
    port: int, world: World, path: str, ask: Callable[[str, str], bytes]
) -> None:
    """O-45, R-26: the store is asked for both, though one of them is remembered."""
    nobody = str(uuid4())
    assert_alike(port, lambda: ask(nobody, path), lambda: ask(world.client_id, path))


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "Ed25519"])
async def test_wrong_signature_takes_as_long_as_an_unknown_application(
    port: int, context: Context, algorithm: str
) -> None:
    """O-45, O-150: whose keys are not known, keys are tried for all the same."""
    registered = await register_keyed(context, key_pair(KEY_OF[algorithm], 1))
    issuer = f"http://localhost:{port}"

    def asked(client_id: str) -> bytes:
        assertion = signed(key_pair(KEY_OF[algorithm], 2), claims_of(client_id, aud=issuer), algorithm)
        return post(urlencode({"grant_type": "client_credentials", **by_assertion(assertion)}).encode())

    nobody = str(uuid4())
    assert_alike(port, lambda: asked(nobody), lambda: asked(str(registered.client.id)))
