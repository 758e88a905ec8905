"""Client assertions as applications sign them: right in everything but what a test names."""

import time
from base64 import urlsafe_b64encode
from functools import cache
from typing import Any
from uuid import uuid4

import orjson
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from app.context import Context
from app.flows.account.register_application import RegisteredApplication, register_application
from app.oauth.actor import COMMAND_LINE
from app.oauth.assertion import ASSERTION_TYPE
from tests.support.browser import ORIGIN

KEY_OF = {
    "ES256": "EC",
    "PS256": "RSA",
    "RS256": "RSA",
    "Ed25519": "OKP",
    "EdDSA": "OKP",
}


def key_pair(kind: str, number: int = 0) -> Key:
    """One of these tests' own; RSA keys take long to make."""
    return _made(kind, number)


@cache
def _made(kind: str, _number: int) -> Key:
    if kind == "RSA":
        return RSAKey.generate_key(2048)
    return OKPKey.generate_key() if kind == "OKP" else ECKey.generate_key()


def jwks_of(*keys: Key, **members: str) -> bytes:
    """The JWK Set that is registered for these keys."""
    return orjson.dumps({"keys": [{**key.as_dict(private=False), **members} for key in keys]})


def pem_of(key: Key) -> str:
    """The text of an application's file for its private key."""
    assert not isinstance(key, OctKey)
    return key.as_pem(private=True).decode()


def claims_of(client_id: str, **changes: Any) -> dict[str, Any]:
    """None leaves one out."""
    now_s = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": ORIGIN,
        "exp": now_s + 60,
        "iat": now_s,
        "jti": uuid4().hex,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def signed(key: Key, claims: object, algorithm: str = "ES256", **header: Any) -> str:
    """Put together by hand: no library of ours keeps a test from a header it would not write."""
    parts = [orjson.dumps({"alg": algorithm, **header}), orjson.dumps(claims)]
    text = b".".join(map(encoded, parts))
    return b".".join((text, encoded(JWSRegistry.algorithms[algorithm].sign(text, key)))).decode()


def encoded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")


def by_assertion(assertion: str) -> dict[str, str]:
    """The fields of a form."""
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


async def register_keyed(context: Context, *keys: Key, **options: Any) -> RegisteredApplication:
    """A strict application that acts by itself and proves itself by these keys."""
    jwks = jwks_of(*(keys or (key_pair("EC"),)))
    whole: dict[str, Any] = {"grants": ("client_credentials",), "kind": "strict", "jwks": jwks, **options}
    return await register_application(context, COMMAND_LINE, name="Keyed", company="Sitewise Ltd", **whole)


def fresh(registered: RegisteredApplication, algorithm: str = "ES256", **claims: Any) -> dict[str, str]:
    """The fields of a form with a new assertion in them."""
    key = key_pair(KEY_OF[algorithm])
    return by_assertion(signed(key, claims_of(str(registered.client.id), **claims), algorithm))
