"""A plain HTML browser: keeps cookies, follows nothing by itself, fills in forms with all their hidden inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from fastapi import FastAPI
from lxml import html

ORIGIN = "http://localhost:8000"


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it stands in a page. held: what it sends when nobody touches it, the hidden inputs among it."""

    action: str
    hidden: dict[str, str]
    held: dict[str, str]


class Browser:
    """Answers come back as they are, redirects too, so that each can be asserted on.

    It runs no script, and loads nothing that a page links. An error in an app of this process is its answer of 500, and
    is not raised in the test.
    """

    def __init__(
        self,
        app: FastAPI | None = None,
        *,
        base_url: str = ORIGIN,
        address: str = "127.0.0.1",
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """address: where its requests come from; only an app in this process believes it.

        base_url: where a service listens that is asked over the network. transport: in the place of the network.
        """
        if app is not None:
            transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 123))
        self.http = httpx2.AsyncClient(transport=transport, base_url=base_url, timeout=30)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    def keep(self, cookies: Mapping[str, str]) -> None:
        """As if an answer had brought them."""
        brought = [("set-cookie", f"{name}={value}; Path=/") for name, value in cookies.items()]
        asked = httpx2.Request("GET", self.http.base_url)
        self.http.cookies.extract_cookies(httpx2.Response(200, headers=brought, request=asked))

    async def get(self, url: str, **headers: str) -> httpx2.Response:
        """headers: a name is written with underscores in the place of its hyphens."""
        return await self.http.get(url, headers=_hyphenated(headers))

    async def submit(
        self, page: httpx2.Response, fields: dict[str, str], *, action: str = "", **headers: str
    ) -> httpx2.Response:
        """Post the page's form (the one whose action contains `action`) with these fields.

        All other fields go along as the page holds them, hidden ones too. It fails where the page has no such form.
        """
        form = form_of(page, action)
        data = {**form.held, **fields}
        return await self.http.post(form.action, data=data, headers=_hyphenated(headers))

    async def follow(self, answer: httpx2.Response) -> httpx2.Response:
        """Go where a redirect leads. It fails unless the answer is 303."""
        assert answer.status_code == 303, answer.text
        return await self.http.get(answer.headers["location"])

    async def sign_in(self, page: httpx2.Response, email: str, password: str) -> httpx2.Response:
        """Fill in the sign-in form; the page it leads to."""
        return await self.follow(
            await self.submit(page, {"email": email, "password": password}, action="/app/login")
        )


def _hyphenated(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def forms_of(page: httpx2.Response) -> list[Form]:
    """The page's forms, in their order. An action is made whole, and one that is absent is the page itself."""
    tree = cast("html.HtmlElement", html.fromstring(page.text))
    return [
        Form(
            urljoin(str(page.url), form.get("action", "")),
            {box.get("name", ""): box.get("value", "") for box in form.xpath(".//input[@type='hidden']")},
            dict(form.form_values()),
        )
        for form in tree.forms
    ]


def form_of(page: httpx2.Response, action: str = "") -> Form:
    """The first form whose action contains this. It fails where there is none, and shows the page."""
    found = [form for form in forms_of(page) if action in form.action]
    assert found, f"no form {action!r} in a page of status {page.status_code}: {page.text[:2000]}"
    return found[0]


def query_of(answer: httpx2.Response) -> dict[str, str]:
    """Parameters of the address a redirect leads to; a repeated one fails the test."""
    query = urlsplit(answer.headers["location"]).query
    parameters = parse_qs(query, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in parameters.values())
    return {name: values[0] for name, values in parameters.items()}
