"""Authorization details as an application sends them, and what answers say was granted."""

import json
from typing import Any

import httpx2

from tests.support.browser import Browser, form_of, query_of
from tests.support.people import World

CONSENT = "/app/oauth2/consent"


def asking(*identifiers: str, **members: Any) -> str:
    """The parameter. identifiers: none where the choice is the customer's."""
    named = {"identifiers": list(identifiers)} if identifiers else {}
    return json.dumps([{"type": "fleet", **named, **members}])


async def asked_page(browser: Browser, world: World, *identifiers: str, **members: Any) -> httpx2.Response:
    """The consent page of a request with details."""
    return await world.consent_page(browser, authorization_details=asking(*identifiers, **members))


def ticked(page: httpx2.Response) -> list[str]:
    """The machines' fields that the page has ticked."""
    return [name for name in form_of(page, CONSENT).held if name.startswith("machine_")]


async def approved(browser: Browser, page: httpx2.Response, **fields: str) -> str:
    """The code for the page as it stands, but for some fields."""
    answer = await browser.submit(page, {"decision": "approve", **fields}, action=CONSENT)
    return query_of(answer)["code"]


def granted(*identifiers: str, **members: Any) -> list[dict[str, Any]]:
    """What an answer says."""
    named = {"identifiers": list(identifiers)} if identifiers else {}
    return [{"type": "fleet", **named, **members}]
