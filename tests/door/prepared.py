"""Requests within every bound that would be dear if something looked at them before it cut them."""

import json
from collections.abc import Iterator
from uuid import UUID

import httpx2

from app.context import Context
from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from bench.load.records import form_request
from tests.door.attacks import WHOLE
from tests.support.browser import Browser, form_of
from tests.support.people import World
from tests.support.raw import head

# Combining marks of many classes, so that putting them into order is work that grows with their square.
_MARKS = "\u0301\u0323\u0327\u0345\u05b0\u0591"
_MOST_FORM = 60_000  # bytes of a field, below what a form may have
_MOST_NAME = 125_000


def marks(count: int) -> str:
    """A letter under so many combining marks, in no order that Unicode would leave as it is."""
    return "a" + (_MARKS * (count // len(_MARKS) + 1))[:count]


async def prepare(url: str, context: Context) -> list[bytes]:
    """A sign-in and readings of a gateway, with names and passwords of marks; lists of thousands in headers."""
    world = await World.make(context)
    async with Browser(base_url=url) as browser:
        page = await browser.get("/app/login")
        token = await _gateway_token(browser, context, world.member.customer_id)
    return [*_sign_ins(page), *_readings(token), *WHOLE.values()]


def _sign_ins(page: httpx2.Response) -> Iterator[bytes]:
    form = form_of(page, "/app/login")
    cookies = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    long = marks(_MOST_FORM // len(b"%CC%81"))
    for email, password in ((f"x@{long}.example", "x"), ("x@hillside.example", long)):
        request = form_request("/app/login", {**form.hidden, "email": email, "password": password})
        yield _ending(request, f"Cookie: {cookies}")


def _readings(token: str) -> Iterator[bytes]:
    name = marks(_MOST_NAME // 2)
    reading = {"CumulativeOperatingHours": {"Hour": 1, "datetime": "2026-05-04T12:00:00Z"}}
    link = f"https://x.example/Fleet/Equipment/{name}/CumulativeOperatingHours/1"
    documents = [
        {"PIN": name, **reading},
        {"EquipmentHeader": {"SerialNumber": name, "Model": name, "OEMName": name}, **reading},
        {"links": [{"rel": "self", "href": link}], **reading},
    ]
    for document in documents:
        body = json.dumps(document, ensure_ascii=False).encode()
        fields = (b"Content-Length: %d" % len(body), b"Authorization: Bearer " + token.encode())
        yield (
            head(b"POST /api/v2/telemetry", *fields, b"Connection: close", content_type=b"application/json")
            + body
        )


def _ending(request: bytes, *lines: str) -> bytes:
    start, _, rest = request.partition(b"\r\n")
    return b"\r\n".join([start, *(line.encode() for line in lines), b"Connection: close", rest])


async def _gateway_token(browser: Browser, context: Context, customer_id: UUID) -> str:
    scope = "telemetry:write"
    registered = await register_application(
        context,
        COMMAND_LINE,
        name="Gateway",
        company="RoviTracker",
        grants=("client_credentials",),
        scope=(scope,),
        customer_id=customer_id,
    )
    form = {
        "grant_type": "client_credentials",
        "client_id": str(registered.client.id),
        "client_secret": registered.client_secret or "",
        "scope": scope,
    }
    answer = await browser.http.post("/app/oauth2/token", data=form)
    return str(answer.json()["access_token"])
