"""Client assertions (RFC 7523 section 3): what an application signs to prove that it is itself, here and now."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact

from app.oauth.bounds import LONGEST_ASSERTION_CLAIMS, LONGEST_ASSERTION_HEADER
from app.oauth.errors import invalid_client

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

# No algorithm is symmetric or `none`. Libraries called Ed25519 by the last name before RFC 9864; it means that alone here.
ALGORITHMS = ("ES256", "PS256", "RS256", "Ed25519", "EdDSA")
RENAMED = {"EdDSA": "Ed25519"}

LONGEST_AHEAD_S = 300  # how far ahead it may end; until then its use must be remembered
CLOCKS_APART_S = 10  # how far an application's clock may be ahead when it says when it signed

# RFC 8725 section 3.11: a JWT that says it is something else is not taken for an assertion.
_TYPES = (None, "JWT", "client-authentication+jwt")


@dataclass(frozen=True, slots=True)
class ClientAssertion:
    """A well-formed assertion, not verified: whoever sent it wrote all of it. Times are seconds since 1970."""

    unverified_client_id: str
    audience: str
    jti: str = field(repr=False)
    begins_at: float
    ends_at: float
    kid: str | None
    signed: CompactSignature = field(repr=False, compare=False)


class _Registry(JWSRegistry):
    """The bounds on a JWS, and the algorithms that it is verified by."""

    max_header_length = LONGEST_ASSERTION_HEADER
    max_payload_length = LONGEST_ASSERTION_CLAIMS

    def get_alg(self, name: str) -> JWSAlgModel:
        """Give our algorithms only; the library's EdDSA warns at each use, and is for keys on other curves too."""
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[RENAMED.get(name, name)]


# RFC 7515 section 4: header parameters we do not know are ignored, those that say where to find a key among them.
_REGISTRY = _Registry(strict_check_header=False)

# These verify where the caller has no key that fits, so that time does not tell who is registered with what. What they
# verify proves nothing: anybody can find the private half of the second.
_DECOY_EC: list[Key] = [ECKey.generate_key(private=False)]
_DECOY_RSA: list[Key] = [RSAKey.import_key({"kty": "RSA", "n": "_" * 341 + "w", "e": "AQAB"})]
_DECOY_OKP: list[Key] = [OKPKey.generate_key(private=False)]
# They stand by algorithm: to look for the one that fits would take longer.
_DECOYS = {
    "ES256": _DECOY_EC,
    "PS256": _DECOY_RSA,
    "RS256": _DECOY_RSA,
    "Ed25519": _DECOY_OKP,
    "EdDSA": _DECOY_OKP,
}


def parse_assertion(assertion_type: str | None, unverified: str | None) -> ClientAssertion:
    """Read an assertion. Raises invalid_client, alike for every reason, when it cannot be one."""
    if assertion_type != ASSERTION_TYPE or unverified is None:
        raise invalid_client("client_assertion and client_assertion_type do not belong together")
    try:
        signed = extract_compact(unverified.encode(), registry=_REGISTRY)
        _REGISTRY.check_header(signed.headers())
        claims = orjson.loads(signed.payload)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        # The last three: the library takes it for granted that the header is an object, and not a deep one.
        raise invalid_client(f"unreadable client assertion: {type(error).__name__}") from error
    assertion = _read_claims(claims, signed)
    if assertion is None:
        raise invalid_client("the client assertion lacks a claim, or has one of the wrong form")
    return assertion


def objection_to(assertion: ClientAssertion, jwks: str | None, *, issuer: str, now: datetime) -> str | None:
    """The reason why it proves nothing; None when an application with these keys signed it for us.

    jwks: the registered keys, or None where there are none.
    """
    now_s = now.timestamp()
    if assertion.audience != issuer:
        # Only the issuer: an assertion made for one server must be worth nothing at another that it was shown to.
        return "the client assertion is for another audience"
    if not now_s < assertion.ends_at <= now_s + LONGEST_AHEAD_S:
        return "the client assertion is expired, or ends too far ahead"
    if assertion.begins_at > now_s + CLOCKS_APART_S:
        return "the client assertion is not valid yet"
    if not _is_signed_by(assertion, import_keys(jwks) if jwks is not None else ()):
        return "no key of the application verifies the client assertion"
    return None


@lru_cache(maxsize=1000)
def import_keys(jwks: str) -> tuple[Key, ...]:
    """The keys of a JWK Set that registration checked; a key without a name gets its thumbprint for one."""
    return tuple(KeySet.import_key_set(orjson.loads(jwks)))


@lru_cache(maxsize=1000)
def key_digests(jwks: str) -> Mapping[str, bytes]:
    """The SHA-256 thumbprints (RFC 7638) of registered keys by their names, in their order."""
    return {str(key.kid): urlsafe_b64decode(f"{key.thumbprint()}=") for key in import_keys(jwks)}


def signer_of(assertion: ClientAssertion, jwks: str) -> bytes:
    """The thumbprint of the key by which a verified assertion was signed.

    An assertion that names none is verified again where several keys fit.
    """
    digests = key_digests(jwks)
    if assertion.kid is not None:
        return digests[assertion.kid]
    if len(digests) == 1:
        return next(iter(digests.values()))
    algorithm = assertion.signed.headers()["alg"]
    own = [key for key in import_keys(jwks) if fits(key, algorithm)]
    signers = (key for key in own if validate_compact(assertion.signed, key, registry=_REGISTRY))
    return digests[str(next(signers, own[0]).kid)]


def fits(key: Key, algorithm: str) -> bool:
    """Whether a key may verify this algorithm, by its type, its curve, and what it says it is for."""
    try:
        _REGISTRY.get_alg(algorithm).check_key(key)
    except JoseError:
        return False
    return True


def _is_signed_by(assertion: ClientAssertion, keys: Sequence[Key]) -> bool:
    """Verify on the spot: ES256 takes 80 microseconds, RS256 35, Ed25519 120, and a thread would take longer to begin.

    A key is found by its name, or by trying all that fit, of which registration allows few.
    """
    algorithm = assertion.signed.headers()["alg"]
    own = [key for key in keys if assertion.kid in (None, key.kid) and fits(key, algorithm)]
    tried = own or _DECOYS.get(algorithm, [])
    verified = [validate_compact(assertion.signed, key, registry=_REGISTRY) for key in tried]
    return bool(own) and any(verified)


def _read_claims(claims: Any, signed: CompactSignature) -> ClientAssertion | None:
    header = signed.headers()
    # `crit` lists header parameters that must be understood, and we understand none.
    if "crit" in header or header.get("typ") not in _TYPES:
        return None
    match claims:
        case {
            "iss": str(claimed_by),
            "sub": str(client_id),
            "aud": str(audience) | [str(audience)],
            "jti": str(jti),
            "exp": int(ends_at) | float(ends_at),
        } if claimed_by == client_id and jti:
            begins_at = [claims.get("nbf", 0), claims.get("iat", 0)]
            if all(isinstance(time, (int, float)) for time in begins_at):
                return ClientAssertion(
                    client_id, audience, jti, max(begins_at), ends_at, header.get("kid"), signed
                )
    return None
