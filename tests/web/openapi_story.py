"""The story of the documentation's examples with real people and things in it, and its requests as documented."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx2

from app.flows.account.register_application import RegisteredApplication
from app.oauth.token_string import mint
from app.web.reference import examples
from tests.support.assertions import fresh
from tests.support.browser import Browser
from tests.support.people import CHALLENGE, Strict, World, confirm_email, pair_of
from tests.web.described import Operation

ROBOT = "client_credentials"
# Readings of the examples' day will one day be older than what is kept.
YESTERDAY = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"


TWIN = {
    **dict.fromkeys(("identifier", "vin", "serial"), examples.TWIN_SERIAL_NUMBER),
    "id": examples.TWIN_EQUIPMENT_ID,
    "make": "kranich",
    "model": "k  8",
}


@dataclass(frozen=True, slots=True)
class Story:
    """The people and things of the examples, made real.

    robot: an application that acts by itself and for no customer; keyed: one that does so by keys. strict, public: those
    that refresh. down: a service that has lost its database. wary: one that was shown too many forged tokens and wrong
    secrets from here.
    """

    browser: Browser
    down: httpx2.AsyncClient
    wary: httpx2.AsyncClient
    spent: httpx2.AsyncClient
    then: httpx2.AsyncClient
    world: World
    robot: World
    strict: Strict
    public: Strict
    keyed: RegisteredApplication
    token: str
    robot_token: str
    gateway_token: str

    def names(self) -> list[tuple[str, str]]:
        """The names that the examples use, and the real ones in their place."""
        return [
            (examples.CLIENT_ID, self.world.client_id),
            (examples.CLIENT_SECRET, self.world.client_secret),
            (examples.TOKEN, self.token),
            (str(examples.CUSTOMER_ID), str(self.world.member.customer_id)),
            (examples.CONFIRMED_EMAIL, self.strict.member.email),
            (str(examples.PARTY.account), self.world.member.customer_name),
            (str(examples.PARTY.member_id), str(self.world.member.id)),
            (examples.STRICT_CLIENT_ID, self.strict.client_id),
            (examples.PUBLIC_CLIENT_ID, self.public.client_id),
        ]

    async def real(self, form: dict[str, str]) -> dict[str, str]:
        """A form of the examples with what is really there, a fresh code or refresh token among it."""
        names = self.names()
        if "client_assertion" in form:
            return {**form, **fresh(self.keyed)}
        if "code" in form:
            asks = self.public if form.get("client_id") == examples.PUBLIC_CLIENT_ID else self.world
            names.append((examples.CODE, await self._code(asks, pkce="code_verifier" in form)))
        if "refresh_token" in form:
            names.append((examples.REFRESH_TOKEN, await self.refresh_token()))
        return {field: replaced(value, names) for field, value in form.items()}

    async def refresh_token(self) -> str:
        """A fresh one of the strict application."""
        code = await self._code(self.strict, pkce=True)
        answer = await self.strict.exchange(self.browser, code, code_verifier=examples.CODE_VERIFIER)
        return pair_of(answer).refresh

    async def account_token(self) -> str:
        """One that reads whose account it is, and no machine."""
        await confirm_email(self.world.context, self.strict.member.id)
        code = await self.strict.code(
            self.browser, redirect_uri=examples.REDIRECT_URI, scope="account:read", code_challenge=CHALLENGE
        )
        return pair_of(await self.strict.exchange(self.browser, code)).access

    async def _code(self, asks: World, *, pkce: bool) -> str:
        challenge = (
            {"code_challenge": examples.CODE_CHALLENGE, "code_challenge_method": "S256"} if pkce else {}
        )
        return await asks.code(self.browser, redirect_uri=examples.REDIRECT_URI, **challenge)


def replaced(text: str, names: list[tuple[str, str]]) -> str:
    for one, other in names:
        text = text.replace(one, other)
    return text


async def read(
    story: Story,
    operation: Operation,
    *,
    accept: str = "*/*",
    token: str | None = None,
    client: httpx2.AsyncClient | None = None,
    values: dict[str, str] | None = None,
    **more: str,
) -> httpx2.Response:
    """The documented GET: parameters as in their examples but for `values`, the story's token but for `token`.

    more: further headers.
    """
    headers = {"Accept": accept, **{name.replace("_", "-"): value for name, value in more.items()}}
    token = story.token if token is None else token
    if operation.described["security"] and token:
        headers["Authorization"] = f"Bearer {token}"
    address = replaced(_address_of(operation, values or {}), story.names())
    return await (client or story.browser.http).get(address, headers=headers)


def _address_of(operation: Operation, values: dict[str, str]) -> str:
    parameters = {each["name"]: each for each in operation.parameters}
    given = {name: str(each["example"]) for name, each in parameters.items() if "example" in each}
    given |= {name: value for name, value in values.items() if name in parameters}
    query = {name: value for name, value in given.items() if parameters[name]["in"] == "query"}
    path = operation.path.format_map({name: quote(value, safe=":") for name, value in given.items()})
    return f"{path}?{httpx2.QueryParams(query)}" if query else path


async def post(
    story: Story,
    operation: Operation,
    form: dict[str, str],
    *,
    caller: World | None = None,
    accept: str = "*/*",
) -> httpx2.Response:
    """The documented POST: by HTTP Basic where the form does not say who asks and the operation wants to know."""
    more: dict[str, Any] = {"headers": {"Accept": accept}}
    if operation.described["security"] and not {"client_id", "client_assertion"} & set(form):
        by_grant = {ROBOT: story.robot, "refresh_token": story.strict}
        caller = caller or by_grant.get(form.get("grant_type", ""), story.world)
        more["auth"] = (caller.client_id, caller.client_secret)
    return await story.browser.http.post(operation.path, data=form, **more)


async def write(
    story: Story,
    *,
    accept: str = "*/*",
    token: str | None = None,
    client: httpx2.AsyncClient | None = None,
    body: str = examples.LINES,
    content_type: str = "application/x-ndjson",
) -> httpx2.Response:
    """The documented batch, by the story's gateway but for `token`."""
    token = story.gateway_token if token is None else token
    headers = {"Accept": accept, "Content-Type": content_type}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = body.replace(examples.DAY, YESTERDAY)
    return await (client or story.browser.http).post("/api/v2/telemetry", content=body, headers=headers)


def writing_faults(story: Story) -> dict[str, dict[str, Any]]:
    """Arguments of `write` that are refused, by status and name of the refusal."""
    return {
        "400 malformed_document": {"body": "PIN,7", "content_type": "application/json"},
        "400 invalid_request": {"token": "one two"},
        "401 invalid_token": {"token": examples.TOKEN},
        "401 unauthorized": {"token": ""},
        "403 insufficient_scope": {"token": story.token},
        "413 invalid_request": {"body": "\n" * 1_100_000},
        "415 unsupported_media_type": {"content_type": "text/csv"},
        "429 slow_down": {"client": story.wary, "token": mint("at", "c", 7).text},
        "503 temporarily_unavailable": {"client": story.down},
    }


def reading_faults(story: Story) -> dict[str, dict[str, Any]]:
    """Arguments of `read` that are refused, by the name of the refusal."""
    return {
        "invalid_page": {"values": {"page": "0"}},
        "page_not_found": {"values": {"page": "4711"}},
        "equipment_not_found": {"values": dict.fromkeys(("identifier", "vin", "id", "serial"), "4711")},
        "equipment_ambiguous": {"values": TWIN},
        "series_not_found": {"values": {"series": "Humidity"}},
        "invalid_date": {"values": {"startDate": "yesterday"}},
        "invalid_range": {"values": {"startDate": "2026-07-01T00:00:00Z"}},
        "too_many_requests": {"client": story.spent},
        "304": {"If_None_Match": "*"},
        "invalid_request": {"token": "one two"},
        "request_header_fields_too_large": {"If_None_Match": '"a",' * 200},
        "invalid_token": {"token": examples.TOKEN},
        "unauthorized": {"token": ""},
        "insufficient_scope": {"token": story.robot_token},
        "not_acceptable": {"accept": "image/png"},
        "slow_down": {"client": story.wary, "token": mint("at", "c", 7).text},
        "temporarily_unavailable": {"client": story.down},
        "303 unsupported_response_type": {"values": {"response_type": "token"}},
        "303 invalid_scope": {"values": {"scope": "fleet:write"}},
        "303 invalid_authorization_details": {"values": {"authorization_details": '[{"type":"payment"}]'}},
        "400": {"values": {"redirect_uri": "https://elsewhere.example/"}},
        "503": {"client": story.down},
    }


def form_faults(story: Story, operation: Operation) -> dict[str, dict[str, Any]]:
    """Forms that are refused, by status and name of the refusal."""
    sent = {"client_id": story.world.client_id, "client_secret": story.world.client_secret}
    robot = {
        "client_id": story.robot.client_id,
        "client_secret": story.robot.client_secret,
        "grant_type": ROBOT,
    }
    whole = {**sent, "code": examples.CODE, "token": examples.TOKEN}
    twice = f"{httpx2.QueryParams(whole)}&code=x"
    return {
        "303": {"data": sent},
        "400 invalid_grant": {"data": whole},
        "400 invalid_request": {
            "content": twice if operation.id == "requestToken" else str(httpx2.QueryParams(sent)),
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        "400 unauthorized_client": {"data": {**sent, "grant_type": ROBOT}},
        "400 unsupported_grant_type": {"data": {**sent, "grant_type": "password"}},
        "400 invalid_scope": {"data": {**robot, "scope": "fleet:write"}},
        "400 invalid_target": {"data": {**robot, "resource": "https://elsewhere.example"}},
        "400 invalid_authorization_details": {"data": {**robot, "authorization_details": "[]"}},
        "401 invalid_client": {"data": {**whole, "client_secret": examples.CLIENT_SECRET}},
        "413 invalid_request": {"data": {**whole, "more": "x" * 20_000}},
        "413": {"data": {**whole, "more": "x" * 20_000}},
        "415 invalid_request": {"json": whole},
        "431 invalid_request": {"data": whole, "headers": {"Authorization": f"Basic {'x' * 8192}"}},
    }
