"""application/x-www-form-urlencoded, read strictly: what two parsers could read differently is not read at all."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from app.oauth.bounds import LARGEST_FORM, MOST_FIELDS
from app.oauth.errors import invalid_request
from app.sentence import Sentence

_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_PLAIN = re.compile(rb"[a-z_]+=[A-Za-z0-9_.~-]+(?:&[a-z_]+=[A-Za-z0-9_.~-]+)*")
_NONE: frozenset[str] = frozenset()
_SPEAKABLE = re.compile(r"[a-z_]{1,32}")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters that were sent once and readably, and the names of the rest, without values on purpose."""

    values: Mapping[str, str]
    repeated: frozenset[str]
    malformed: frozenset[str]


def parse_form(body: bytes, *, largest: int = LARGEST_FORM, most: int = MOST_FIELDS) -> Mapping[str, str]:
    """Parameters of a token, introspection or revocation request. Raises invalid_request unless all are in order.

    largest: in bytes. most: parameters.
    """
    parameters = _read(body, largest, most)
    check_wellformed(parameters.repeated, parameters.malformed)
    return parameters.values


def parse_query(raw: bytes) -> Parameters:
    """Parameters of an authorization request, whose redirect URI must be proved before any error may travel.

    Raises invalid_request when the query is too long.
    """
    return _read(raw, LARGEST_FORM)


def has_parameter(raw: bytes, name: str) -> bool:
    """Whether a query names this parameter, in any spelling. Raises invalid_request when it is too long."""
    _check_size(raw, LARGEST_FORM)
    return any(decode(part.partition(b"=")[0]) == name for part in raw.split(b"&"))


def check_wellformed(repeated: Collection[str], malformed: Collection[str]) -> None:
    """Raises invalid_request when a parameter is repeated or malformed (RFC 6749 sections 3.1 and 3.2)."""
    if repeated:
        raise invalid_request(Sentence("%(name)s is sent more than once", name=_speakable(min(repeated))))
    if malformed:
        raise invalid_request(
            Sentence("%(name)s is too long or badly encoded", name=_speakable(min(malformed)))
        )


def _read(raw: bytes, largest: int, most: int = MOST_FIELDS) -> Parameters:
    _check_size(raw, largest, most)
    return _read_plain(raw) or _read_encoded(raw)


def _check_size(raw: bytes, largest: int, most: int = MOST_FIELDS) -> None:
    if len(raw) > largest or raw.count(b"&") >= most:
        raise invalid_request(
            Sentence(
                "more than %(most)s parameters, or more than %(largest)s bytes",
                most=str(most),
                largest=str(largest),
            )
        )


def _read_plain(raw: bytes) -> Parameters | None:
    """The parameters of nearly all token requests: none is encoded, repeated or empty. None for any other request."""
    if not _PLAIN.fullmatch(raw):
        return None
    pairs = [part.split("=") for part in raw.decode().split("&")]
    values: dict[str, str] = dict(pairs)
    return Parameters(values, _NONE, _NONE) if len(values) == len(pairs) else None


def _read_encoded(raw: bytes) -> Parameters:
    values: dict[str, str] = {}
    seen: set[str] = set()
    repeated: set[str] = set()
    malformed: set[str] = set()
    for part in raw.split(b"&"):
        raw_name, _, raw_value = part.partition(b"=")
        name, value = decode(raw_name), decode(raw_value)
        if name in seen:
            repeated.add(name)
        elif name is None or value is None:
            malformed.add(name or "")
        # RFC 6749 section 3.1: a parameter without a value counts as left out.
        elif value:
            values[name] = value
        if name:
            seen.add(name)
    # Neither of two values is kept, so that nobody can come to rely on the first or on the last.
    kept = {name: value for name, value in values.items() if name not in repeated} if repeated else values
    return Parameters(kept, frozenset(repeated), frozenset(malformed))


def decode(raw: bytes) -> str | None:
    """One name or value as UTF-8; None when it is not."""
    if b"%" in raw or b"+" in raw:
        if _BROKEN_PERCENT.search(raw):
            return None
        raw = unquote_to_bytes(raw.replace(b"+", b" "))
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    # PostgreSQL cannot store NUL in a text, and no parameter of ours has one.
    return None if "\0" in text else text


def _speakable(name: str) -> str:
    # The description may be shown to a person elsewhere: a stranger must not write it.
    return name if _SPEAKABLE.fullmatch(name) else Sentence("a parameter")
