"""Redirect URIs: which may be registered, which one a request may name, and how an answer is appended to one."""

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, quote, unquote, unquote_to_bytes

from app.oauth.bounds import LONGEST_URI
from app.oauth.errors import refused_link
from app.refused import RefusedError
from app.sentence import Sentence

_LAST_PORT = 65_535

_FORBIDDEN = (
    ("#", "has a fragment (#)"),
    ("*", "has a wildcard (*): register each address in full"),
    ("\\", "has a backslash, which browsers read as a slash"),
)
# RFC 3986 section 2 lets a URI consist of these, the % only before two hexadecimal digits.
_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~:/?\[\]@!$&'()+,;=-]|%[0-9A-Fa-f]{2})*")
_ENCODED_TRICK = re.compile(rb"[\x00-\x1F\x7F\\]")

# RFC 3986 appendix B, without the fragment. A library's reading would forgive more than ours. Possessive: where the end
# does not fit, no shorter authority or path is tried, which would take a time that grows with the square of the length.
_PARTS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*):(?://(?P<authority>[^/?]*+))?+(?P<path>[^?]*+)(?:\?(?P<query>.*+))?"
)
_AUTHORITY = re.compile(
    r"(?P<host>[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?"
)

# The same as the RFC has it, which takes any text apart: what matches no registered URI is still compared with one.
_ANY_PARTS = re.compile(
    r"(?:(?P<scheme>[^:/?#]*+):)?+(?://(?P<host>[^/?#]*+))?+(?P<path>[^?#]*+)(?:\?(?P<query>[^#]*+))?+(?:#(?P<fragment>.*+))?+",
    re.DOTALL,
)
_MOST_SHOWN = 300
_URI_MARKS = "%:/?#[]@!$&'()*+,;=~"

# Browsers resolve localhost by the machine's own tables, which others may write; the literals go nowhere else
# (RFC 8252 section 8.3).
_LOOPBACK = ("127.0.0.1", "[::1]")
_LOOPBACK_URI = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)")

_ANSWER_PARAMETERS = {"code", "state", "iss", "error", "error_description", "error_uri"}


class RedirectUriError(RefusedError):
    """A redirect URI that cannot be registered, and why, for the person who registers it."""

    code = "invalid_redirect_uri"

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(f"{uri[:LONGEST_URI]!r} {reason}")


def check_registrable(uri: str, *, public: bool, development: bool) -> None:
    """Raises RedirectUriError when a URI could be compared loosely, read differently, or answered to somebody else."""
    reason = _spelling_objection(uri)
    if reason is None:
        parts = _PARTS.fullmatch(uri)
        if parts is None:
            reason = "is relative, or its scheme is not in lower case"
        else:
            reason = _parts_objection(parts) or _place_objection(
                parts, public=public, development=development
            )
    if reason is not None:
        raise RedirectUriError(uri, reason)


def match(requested: str | None, registered: Sequence[str], *, public: bool) -> str:
    """The URI the answer goes to (RFC 6749 section 3.1.2.3). Raises PageError, never a redirect, when there is none.

    The error's detail says for the log what was sent, and what differs.
    """
    if requested is None:
        if len(registered) == 1:
            return registered[0]
        raise refused_link(
            Sentence("The application did not say which of its addresses the answer should go to."),
            detail=f"redirect_uri is missing, and {len(registered)} are registered",
        )
    # Plain strings: whatever a cleverer comparison would forgive, an attacker can use (RFC 9700 section 4.1.3).
    if requested in registered:
        return requested
    if public and any(_differ_in_port_only(requested, known) for known in registered):
        return requested
    sent = _readable(requested)
    raise refused_link(
        Sentence(
            "The application asked for the answer at %(sent)s, an address that is not registered for it.",
            sent=sent,
        ),
        detail=f"redirect_uri {sent} is not registered: {_difference(requested, registered)}",
    )


def append(uri: str, params: Sequence[tuple[str, str]]) -> str:
    """The registered URI, its own query kept, with the answer's parameters behind it (RFC 6749 section 4.1.2)."""
    # A space becomes %20: form decoders read it like the plus sign, and plain URI decoders read only this one.
    answer = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params)
    if "?" not in uri:
        return f"{uri}?{answer}"
    return uri + answer if uri.endswith(("?", "&")) else f"{uri}&{answer}"


def _readable(uri: str) -> str:
    """For people and the log: everything that no URI consists of is encoded, so that it is no text of its own."""
    shown = quote(uri[:_MOST_SHOWN], safe=_URI_MARKS)
    return shown if len(uri) <= _MOST_SHOWN else f"{shown}..."


def _difference(requested: str, registered: Sequence[str]) -> str:
    if not registered:
        return "the application has none"
    nearest = min(registered, key=lambda known: len(_differing_parts(requested, known)))
    return f"it differs from {nearest} in its {' and '.join(_differing_parts(requested, nearest))}"


def _differing_parts(one: str, other: str) -> list[str]:
    if one.lower() == other.lower():
        return ["letter case"]
    if one.rstrip("/") == other.rstrip("/"):
        return ["last slash"]
    parts = [_ANY_PARTS.fullmatch(uri) for uri in (one, other)]
    first, second = (found.groupdict() for found in parts if found)
    return [name for name in first if first[name] != second[name]]


def _spelling_objection(uri: str) -> str | None:
    if len(uri) > LONGEST_URI:
        return f"is longer than {LONGEST_URI} characters"
    for mark, objection in _FORBIDDEN:
        if mark in uri:
            return objection
    if not _CHARACTERS.fullmatch(uri):
        return "has a character that must be percent-encoded, or a % without two hexadecimal digits"
    if _ENCODED_TRICK.search(unquote_to_bytes(uri)):
        return "hides a control character or a backslash behind percent-encoding"
    return None


def _parts_objection(parts: re.Match[str]) -> str | None:
    if "@" in (parts["authority"] or ""):
        return "has user information (@) before the host"
    # Segments are judged without their ;parameters, which some servers cut off before they resolve the dots.
    if any(segment.partition(";")[0] in (".", "..") for segment in unquote(parts["path"]).split("/")):
        return "has a dot segment in its path"
    taken = _ANSWER_PARAMETERS.intersection(
        name for name, _ in parse_qsl(parts["query"] or "", keep_blank_values=True)
    )
    if taken:
        return f"has the query parameter {min(taken)}, which belongs to the answer"
    return None


def _place_objection(parts: re.Match[str], *, public: bool, development: bool) -> str | None:
    if parts["scheme"] not in ("http", "https"):
        return _private_scheme_objection(parts, public=public)
    authority = _AUTHORITY.fullmatch(parts["authority"] or "")
    if authority is None or not _is_port(authority["port"]):
        return f"needs a host name and, if any, a port from 1 to {_LAST_PORT} without a zero before it"
    is_loopback = authority["host"] in _LOOPBACK and (public or development)
    is_localhost = authority["host"] == "localhost" and development
    if parts["scheme"] == "https" or is_loopback or is_localhost:
        return None
    return "must use https (http is for the literals 127.0.0.1 and [::1] of public applications)"


def _private_scheme_objection(parts: re.Match[str], *, public: bool) -> str | None:
    # RFC 8252 section 7.1: a reversed domain name. The dot also keeps out javascript:, data:, file: and their like.
    if "." not in parts["scheme"]:
        return (
            "must use https, or a private-use scheme made of a domain name, such as com.example.app:/callback"
        )
    if not public:
        return "has a private-use scheme, which is for public applications only"
    if not (parts["authority"] or parts["path"]):
        return "has nothing after its scheme"
    return None


def _differ_in_port_only(requested: str, known: str) -> bool:
    # RFC 8252 section 7.3: a native application listens on whatever port it is given at run time.
    one, other = _LOOPBACK_URI.fullmatch(requested), _LOOPBACK_URI.fullmatch(known)
    return bool(one and other and _is_port(one[2]) and (one[1], one[3]) == (other[1], other[3]))


def _is_port(text: str | None) -> bool:
    return text is None or int(text) <= _LAST_PORT
