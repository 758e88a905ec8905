"""Time tells no more than the answer does: whether an application is known is not in how long its refusal takes."""

import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from app.context import Context
from tests.support.assertions import KEY_OF, by_assertion, claims_of, key_pair, register_keyed, signed
from tests.support.equal_time import assert_alike
from tests.support.people import World
from tests.support.raw import post
from tests.support.server import free_port, running_service, settings_on

pytestmark = pytest.mark.alone

TOKEN, INTROSPECT, REVOKE = (f"/app/oauth2/{name}" for name in ("token", "introspect", "revoke"))

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


def refused(answer: bytes) -> bool:
    """Whether the whole refusal came."""
    assert answer.startswith(b"HTTP/1.1 401 "), answer
    return REFUSAL.search(answer) is not None


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
    assert_alike(port, lambda: ask(nobody, path), lambda: ask(world.client_id, path), refused)


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
    assert_alike(port, lambda: asked(nobody), lambda: asked(str(registered.client.id)), refused)
