"""Any answer of an authenticator or a stranger is taken or refused by name, and nothing else comes out."""

from collections.abc import Callable
from typing import Any, get_args

import cbor2
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.oauth.passkey import (
    Answer,
    AnswerError,
    check_assertion,
    creation_options,
    new_challenge,
    read_answer,
    read_creation,
    request_options,
)
from app.oauth.relying_party import PasskeyFault, RelyingParty
from tests.support.authenticator import WITH_KEY, Authenticator, bytes_of, text_of
from tests.support.browser import ORIGIN

PARTY = RelyingParty("localhost", ORIGIN)
CHALLENGE = new_challenge()
PERSON = b"p" * 16
FAULTS = set(get_args(PasskeyFault))

_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
)
JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
# Keys and values of COSE keys, at their places and elsewhere.
_COSE_LEAVES = (
    st.none() | st.booleans() | st.integers(-70_000, 70_000) | st.binary(max_size=600) | st.text(max_size=9)
)
CBOR = st.recursive(
    _COSE_LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(-8, 8) | st.text(max_size=9), inner, max_size=6)
    ),
    max_leaves=12,
)
KEYS = st.dictionaries(
    st.sampled_from([1, 2, 3, 4, 5, -1, -2, -3, -4]),
    st.integers(-300, 300) | st.binary(max_size=520) | _COSE_LEAVES,
    max_size=8,
)
many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _made() -> str:
    options = creation_options(PARTY, CHALLENGE, person=PERSON, email="a@b.example", name="Ann", present=())
    return DEVICE.create(options)


# Right answers, made once: a signature is another one each time, and hypothesis repeats what it tried.
DEVICE = Authenticator()
_MADE, _ASSERTED = _made(), DEVICE.get(request_options(PARTY, CHALLENGE))


def made() -> dict[str, Any]:
    """To the request for a new passkey."""
    answer: dict[str, Any] = orjson.loads(_MADE)
    return answer


def asserted() -> dict[str, Any]:
    """To the request for a passkey."""
    answer: dict[str, Any] = orjson.loads(_ASSERTED)
    return answer


def create(answer: object) -> None:
    read_creation(PARTY, CHALLENGE, orjson.dumps(answer).decode())


def use(key: bytes) -> Callable[[object], None]:
    def verify(answer: object) -> None:
        read: Answer = read_answer(orjson.dumps(answer).decode())
        check_assertion(PARTY, CHALLENGE, read, key)

    return verify


def is_named(run: Callable[[object], None], answer: object) -> bool:
    """Whether it was refused, and by a name; anything but AnswerError fails the test."""
    fault = None
    try:
        run(answer)
    except AnswerError as refused:
        fault = refused.fault
    assert fault is None or fault in FAULTS
    return fault is not None


def test_the_right_answers_are_taken() -> None:
    """So that what the other tests change is the reason of a refusal."""
    assert not is_named(create, made())
    assert not is_named(use(DEVICE.public_key), asserted())


@many
@given(st.data())
def test_any_member_replaced_by_any_json_is_refused_or_taken_by_name(data: st.DataObject) -> None:
    """R-110."""
    for answer, run in ((made(), create), (asserted(), use(DEVICE.public_key))):
        response = answer["response"]
        holder = data.draw(st.sampled_from([answer, response]))
        name = data.draw(st.sampled_from([*holder, "unknown"]))
        if data.draw(st.booleans()):
            holder[name] = data.draw(JSON)
        else:
            holder.pop(name, None)
        is_named(run, answer)
        is_named(run, data.draw(JSON))


@many
@given(st.data())
def test_any_client_data_is_refused_or_taken_by_name(data: st.DataObject) -> None:
    for answer, run in ((made(), create), (asserted(), use(DEVICE.public_key))):
        signed = orjson.loads(bytes_of(answer["response"]["clientDataJSON"]))
        name, value = data.draw(st.sampled_from([*signed, "x"])), data.draw(JSON)
        changed = data.draw(st.sampled_from([{**signed, name: value}, value]))
        raw = data.draw(st.just(orjson.dumps(changed)) | st.binary(max_size=80))
        answer["response"]["clientDataJSON"] = text_of(raw)
        refused = is_named(run, answer)
        if run is not create:
            assert refused or raw == orjson.dumps(signed)


@many
@given(st.data())
def test_any_cbor_of_an_attestation_is_refused_or_taken_by_name(data: st.DataObject) -> None:
    """The object, the data in it, the key in that, and what is cut off or follows."""
    answer = made()
    statement = cbor2.loads(bytes_of(answer["response"]["attestationObject"]))
    before_key = statement["authData"][: -len(DEVICE.public_key)]
    key = data.draw(st.builds(cbor2.dumps, KEYS | CBOR) | st.binary(max_size=100))
    whole = before_key + key
    cut = data.draw(st.integers(0, len(whole)))
    authenticator_data = data.draw(st.sampled_from([whole, whole[:cut], whole + b"\x00", whole[cut:]]))
    flags = data.draw(st.integers(0, 255) | st.just(WITH_KEY | 5))
    if len(authenticator_data) > 32:
        authenticator_data = authenticator_data[:32] + bytes([flags]) + authenticator_data[33:]
    changed: object = {**statement, "authData": authenticator_data}
    if data.draw(st.booleans()):
        formats = ["none", "packed", "fido-u2f", "tpm", "apple", "android-key", "android-safetynet", ""]
        changed = {
            "fmt": data.draw(st.sampled_from(formats) | CBOR),
            "attStmt": data.draw(
                st.dictionaries(st.sampled_from(["alg", "sig", "x5c", "ver", "response", "certInfo"]), CBOR)
                | CBOR
            ),
            "authData": data.draw(st.just(authenticator_data) | CBOR),
        }
    raw = data.draw(st.just(cbor2.dumps(changed)) | st.builds(cbor2.dumps, CBOR) | st.binary(max_size=120))
    answer["response"]["attestationObject"] = text_of(raw)
    is_named(create, answer)


@many
@given(st.data())
def test_any_data_of_an_authenticator_or_key_is_refused_by_name(data: st.DataObject) -> None:
    """A key in the store was read when it was kept; another one, as of a restored dump, is no fault of ours either."""
    answer = asserted()
    response = answer["response"]
    part = data.draw(st.sampled_from(["authenticatorData", "signature"]))
    right = bytes_of(response[part])
    cut = data.draw(st.integers(0, len(right)))
    changed = data.draw(
        st.sampled_from([right[:cut], right[cut:], right + b"\x00", right[:cut] + b"\xff" + right[cut + 1 :]])
        | st.binary(max_size=120)
    )
    response[part] = text_of(changed)
    assert is_named(use(DEVICE.public_key), answer) or changed == right
    key = data.draw(st.builds(cbor2.dumps, KEYS | CBOR) | st.binary(max_size=100))
    assert is_named(use(key), asserted())


@many
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_no_answer(text: str) -> None:
    for run in (lambda: read_answer(text), lambda: read_creation(PARTY, CHALLENGE, text)):
        with pytest.raises(AnswerError):
            run()
