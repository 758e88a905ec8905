"""The panel on what happened to how the person signs in, a page of it at a time."""

from typing import Any
from uuid import UUID

from starlette.requests import Request

from app.flows.account.sign_in_history import read_sign_in_history
from app.oauth.errors import PageError
from app.oauth.parameters import has_parameter, parse_query
from app.sentence import Sentence
from app.storage.people.people import Person
from app.storage.people.sign_in_history import Happened
from app.web.pages.browser_kind import spoken_kind
from app.web.paths import SECURITY
from app.web.request import context_of, raw_query

_BEFORE, _AT = "before", "#history"


async def shown_history(request: Request, person: Person) -> dict[str, Any]:
    """What the panel shows. Raises PageError when the address names no page of it."""
    before = _before(request)
    found = await read_sign_in_history(context_of(request), person, before)
    return {
        "history": [_shown(each) for each in found.happened],
        "newest_url": f"{SECURITY}{_AT}" if before else None,
        "older_url": f"{SECURITY}?{_BEFORE}={found.older}{_AT}" if found.older else None,
    }


def _before(request: Request) -> UUID | None:
    query = raw_query(request)
    if request.method != "GET" or not has_parameter(query, _BEFORE):
        return None
    try:
        return UUID(parse_query(query).values.get(_BEFORE, ""))
    except ValueError:
        raise PageError(
            Sentence("There is no such page"),
            Sentence("The address is mistyped. Your page “Security” begins with the newest."),
            404,
        ) from None


def _shown(happened: Happened) -> dict[str, Any]:
    """refused: after it."""
    detail, refused = happened.detail, happened.refused
    return {
        "event": happened.event,
        "at": happened.at,
        "address": _address(happened.address),
        "browser": _browser(detail.get("browser")),
        "new_browser": detail.get("new_browser", False),
        "passkey": happened.event == "person.signed_in" and "passkey" in detail,
        "refused": refused
        and {
            "count": refused.count,
            "at": refused.at,
            "address": _address(refused.address),
            "browser": _browser(refused.browser),
        },
    }


def _address(address: str | None) -> str:
    """None for what was done on the host."""
    return address or "RoviTracker"


def _browser(kind: str | None) -> str | None:
    return spoken_kind(kind) if kind else None
