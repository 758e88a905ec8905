"""Authorization details of type `fleet` (RFC 9396): machines, history and end, as asked for and as granted."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson

from app.oauth.bounds import LONGEST_DETAILS, LONGEST_NAMED, MOST_LISTED, MOST_NAMED
from app.oauth.errors import OAuthError, invalid_authorization_details
from app.oauth.scope import DEFAULT_SCOPE

PARAMETER = "authorization_details"
TYPE = "fleet"
NARROWED_SCOPE = DEFAULT_SCOPE  # what it opens, the details narrow

MEMBERS = ("type", "identifiers", "history_from", "ends_at")

_DAY = r"(?:19[7-9]|2[0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}"
_INSTANT = rf"{_DAY}[Tt](?:[01][0-9]|2[0-3])(?::[0-9]{{2}}){{2}}(?:\.[0-9]{{1,9}})?(?:[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})"
DAY_PATTERN, INSTANT_PATTERN = f"^{_DAY}$", f"^{_INSTANT}$"
_IS_DAY = re.compile(_DAY)
_IS_INSTANT = re.compile(_INSTANT)
# The description may be shown to a person elsewhere: a stranger must not write sentences into it.
_SPEAKABLE = re.compile(r"[A-Za-z0-9_:-]{1,40}")


@dataclass(frozen=True, slots=True)
class FleetDetails:
    """What an application asks for. identifiers: of machines; None where it leaves the choice to the customer.

    history_from: a day begins in the time zone of whoever approves. None: all that there is. ends_at: None for no end.
    """

    identifiers: tuple[str, ...] | None = None
    history_from: datetime | date | None = None
    ends_at: datetime | None = None

    @property
    def text(self) -> str:
        """The same as a parameter says it."""
        members = {
            "type": TYPE,
            "identifiers": self.identifiers,
            "history_from": self.history_from,
            "ends_at": self.ends_at,
        }
        said = {name: value for name, value in members.items() if value is not None}
        return orjson.dumps([said], option=orjson.OPT_UTC_Z).decode()


def parse_details(text: str) -> FleetDetails:
    """Read the parameter (RFC 9396 section 5). Raises invalid_authorization_details, which says what is wrong."""
    if len(text.encode()) > LONGEST_DETAILS:
        raise _refused(f"it is longer than {LONGEST_DETAILS} bytes")
    try:
        unverified = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _refused("it is not JSON") from None
    if not isinstance(unverified, list) or len(unverified) != 1 or not isinstance(unverified[0], dict):
        raise _refused("it is not an array of one object")
    return _read(unverified[0])


def check_asked(details: FleetDetails, scope: Sequence[str], *, now: datetime) -> None:
    """Judge what else was asked for. Raises invalid_authorization_details when nothing could be granted so."""
    if NARROWED_SCOPE not in scope:
        raise _refused(f"they narrow the scope {NARROWED_SCOPE}, which is not asked for")
    if details.ends_at is not None and details.ends_at <= now:
        raise _refused("ends_at is past")


def unknown_type() -> OAuthError:
    return _refused(f"the only type is {TYPE}")


def refuse_at_token() -> OAuthError:
    """The refusal of RFC 9396 section 6: a token is never narrower than its connection."""
    return _refused("ask for them where the customer approves, not here")


def write_granted(
    names: Sequence[str | None] | None,
    *,
    count: int,
    history_from: datetime | None,
    ends_at: datetime | None,
) -> str:
    """What a connection shows, as the member of an answer says it (RFC 9396 section 7).

    names: of the chosen machines, None for one that has none; None for all machines. count: how many were chosen.
    """
    members: dict[str, object] = {"type": TYPE}
    if names is not None:
        # A list that is there is the whole of it: one that would be too long, or lacks a name, is only counted.
        whole = count <= MOST_LISTED and all(names)
        members |= {"identifiers": list(names)} if whole else {"machine_count": count}
    if history_from is not None:
        members["history_from"] = history_from.astimezone(UTC)
    if ends_at is not None:
        members["ends_at"] = ends_at.astimezone(UTC)
    return orjson.dumps([members], option=orjson.OPT_UTC_Z).decode()


def _read(members: dict[str, Any]) -> FleetDetails:
    if "type" not in members:
        raise _refused("type is missing")
    if members["type"] != TYPE:
        raise unknown_type()
    unknown = sorted(members.keys() - MEMBERS)
    if unknown:
        named = unknown[0] if _SPEAKABLE.fullmatch(unknown[0]) else "a member"
        raise _refused(f"{named} is not known in an object of type {TYPE}")
    identifiers = _identifiers(members["identifiers"]) if "identifiers" in members else None
    history_from = _history_from(members["history_from"]) if "history_from" in members else None
    ends_at = _instant("ends_at", members["ends_at"]) if "ends_at" in members else None
    return FleetDetails(identifiers, history_from, ends_at)


def _identifiers(unverified: Any) -> tuple[str, ...]:
    if not isinstance(unverified, list) or not unverified or len(unverified) > MOST_NAMED:
        raise _refused(f"identifiers is not an array of 1 to {MOST_NAMED} identifiers")
    if not all(isinstance(each, str) and _is_identifier(each) for each in unverified):
        raise _refused(f"an identifier is not a string of 1 to {LONGEST_NAMED} printable characters")
    return tuple(dict.fromkeys(unverified))


def _is_identifier(text: str) -> bool:
    return len(text) <= LONGEST_NAMED and text.isprintable() and bool(text.strip())


def _history_from(unverified: Any) -> datetime | date:
    if isinstance(unverified, str) and _IS_DAY.fullmatch(unverified):
        try:
            return date.fromisoformat(unverified)
        except ValueError:
            raise _refused("history_from is a day that the calendar does not have") from None
    return _instant("history_from", unverified, or_day=True)


def _instant(name: str, unverified: Any, *, or_day: bool = False) -> datetime:
    expected = "neither a day nor an instant" if or_day else "not an instant"
    if not isinstance(unverified, str) or not _IS_INSTANT.fullmatch(unverified):
        raise _refused(f"{name} is {expected} of RFC 3339")
    try:
        return datetime.fromisoformat(unverified.upper()).astimezone(UTC)
    except ValueError:
        raise _refused(f"{name} is {expected} of RFC 3339") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """What two parsers could read differently is not read at all."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _refused("a member stands twice in one object")
    return members


def _refuse_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _refused(what: str) -> OAuthError:
    return invalid_authorization_details(f"{PARAMETER}: {what}")
