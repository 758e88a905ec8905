"""Passkeys (WebAuthn level 2): what a browser is asked for, and the judgement of what it answers.

Only this file knows `webauthn`, and the command line imports it nowhere: it costs 45 ms and 5 MiB.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    options_to_json_dict,
    parse_client_data_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.oauth.relying_party import PasskeyFault, RelyingParty

CHALLENGE_LIFE_S = 300
LONGEST_ANSWER = 8 * 1024  # characters; those of present authenticators have two thousand at most
LONGEST_ID = 1023  # octets (WebAuthn level 2 section 4)
LONGEST_KEY = 1024  # octets; an RSA key of 4,096 bits has 530

_CHALLENGE_BYTES = 32
_NAME = "RoviTracker"
_RSA_BITS, _RSA_EXPONENT = (2048, 4096), 65_537  # others take long to verify
# The library's errors have classes for everything malformed, and one for what was checked; its words tell the rest.
_CAUSES: tuple[tuple[str, PasskeyFault], ...] = (
    ("Client data challenge", "wrong challenge"),
    ("Unexpected client data origin", "wrong origin"),
    ("Unexpected RP ID hash", "wrong relying party"),
    ("User verification", "person not verified"),
    ("Could not verify authentication signature", "wrong signature"),
)


class AnswerError(Exception):
    """The answer of an authenticator proves nothing. fault: for the audit trail and the log."""

    def __init__(self, fault: PasskeyFault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A passkey that an authenticator has just made."""

    id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser answered, unverified. person: who the authenticator says that it is, by their id; it may be empty."""

    unverified: dict[str, Any]
    credential_id: bytes
    person: bytes


@dataclass(frozen=True, slots=True)
class Assertion:
    """A verified answer."""

    sign_count: int
    backed_up: bool


def new_challenge() -> bytes:
    return secrets.token_bytes(_CHALLENGE_BYTES)


def creation_options(
    party: RelyingParty, challenge: bytes, *, person: bytes, email: str, name: str, present: Iterable[bytes]
) -> dict[str, Any]:
    """What a browser is asked for, so that it makes a passkey. person: their id. present: credential ids of theirs."""
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=_NAME,
        user_id=person,
        user_name=email,
        user_display_name=name,
        challenge=challenge,
        timeout=CHALLENGE_LIFE_S * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in present],
    )
    return options_to_json_dict(options)


def request_options(
    party: RelyingParty, challenge: bytes, *, allowed: Iterable[bytes] = ()
) -> dict[str, Any]:
    """What a browser is asked for, so that a person proves who they are. allowed: credential ids; none means any."""
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=CHALLENGE_LIFE_S * 1000,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in allowed],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def read_creation(party: RelyingParty, challenge: bytes, unverified: str) -> NewCredential:
    """Raises AnswerError when it is no answer to this challenge, from a page of ours, by a verified person."""
    answer = _parse(unverified)
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
        sound = _is_sound(made.credential_public_key)
        framed = _is_framed(answer)
    except _STUMBLES as error:
        raise _fault_of(error) from error
    if framed:
        raise AnswerError("wrong origin")
    if not sound or len(made.credential_id) > LONGEST_ID:
        raise AnswerError("key not accepted")
    return NewCredential(
        made.credential_id,
        made.credential_public_key,
        made.sign_count,
        _transports_of(answer),
        made.credential_backed_up,
    )


def read_answer(unverified: str) -> Answer:
    """Read whose answer it would be. Raises AnswerError when it has no such form."""
    answer = _parse(unverified)
    try:
        credential_id = base64url_to_bytes(answer["rawId"])
        person = base64url_to_bytes(answer["response"].get("userHandle") or "")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AnswerError("malformed answer") from error
    return Answer(answer, credential_id, person)


def check_assertion(party: RelyingParty, challenge: bytes, answer: Answer, public_key: bytes) -> Assertion:
    """Check the signature, and all that was signed. Whether the count went on is the store's to judge, in one statement.

    Raises AnswerError when it is no answer to this challenge, from a page of ours, by a verified person.
    """
    try:
        checked = verify_authentication_response(
            credential=answer.unverified,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        framed = _is_framed(answer.unverified)
    except _STUMBLES as error:
        raise _fault_of(error) from error
    if framed:
        raise AnswerError("wrong origin")
    return Assertion(checked.new_sign_count, checked.credential_backed_up)


# What the library raises for bytes that a stranger made up. Anything else is a bug.
_STUMBLES = (
    WebAuthnException,
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
)


def _parse(unverified: str) -> dict[str, Any]:
    if len(unverified) > LONGEST_ANSWER:
        raise AnswerError("malformed answer")
    try:
        answer = orjson.loads(unverified)
    except ValueError as error:
        raise AnswerError("malformed answer") from error
    if not isinstance(answer, dict):
        raise AnswerError("malformed answer")
    return answer


def _fault_of(error: Exception) -> AnswerError:
    said = str(error)
    return AnswerError(
        next((fault for begins, fault in _CAUSES if said.startswith(begins)), "malformed answer")
    )


def _is_framed(answer: dict[str, Any]) -> bool:
    """Whether a page of ours stood in another site's. Our headers forbid that, and the library does not ask."""
    signed = parse_client_data_json(base64url_to_bytes(answer["response"]["clientDataJSON"]))
    return bool(signed.cross_origin)


def _is_sound(public_key: bytes) -> bool:
    """Whether the key can be read, and takes no longer to verify than others do. Raises what the library stumbles over."""
    if len(public_key) > LONGEST_KEY:
        return False
    key = decoded_public_key_to_cryptography(decode_credential_public_key(public_key))
    if not isinstance(key, RSAPublicKey):
        return True
    fewest, most = _RSA_BITS
    return fewest <= key.key_size <= most and key.public_numbers().e == _RSA_EXPONENT


def _transports_of(answer: dict[str, Any]) -> tuple[str, ...]:
    """How the browser says that it reaches the authenticator; words that the standard does not know are left out."""
    said = answer["response"].get("transports")
    if not isinstance(said, list):
        return ()
    return tuple(each.value for each in AuthenticatorTransport if each.value in said)


def text_of(credential_id: bytes) -> str:
    """A credential id as browsers write it."""
    return bytes_to_base64url(credential_id)
