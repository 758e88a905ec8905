"""The people and applications of a test: made through the same flows as real ones."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode
from uuid import uuid4

import httpx2

from app.context import Context
from app.flows.add_customer import add_customer
from app.flows.register_application import RegisteredApplication, register_application
from app.storage.people import Member
from tests.browser import Browser, query_of

PASSWORD = "correct horse battery"
REDIRECT_URI = "https://sitewise.example/callback?tenant=7"


@dataclass(frozen=True, slots=True)
class World:
    """One customer, one classic application."""

    context: Context
    member: Member
    registered: RegisteredApplication

    @classmethod
    async def make(
        cls, context: Context, *, name: str = "Sitewise", redirect_uris: tuple[str, ...] = (REDIRECT_URI,)
    ) -> Self:
        email = f"ann.{uuid4().hex[:12]}@hillside.example"
        member = await add_customer(context, email=email, name="Hillside Plant Hire", password=PASSWORD)
        registered = await register_application(
            context, name=name, company="Sitewise Rentals Ltd", redirect_uris=redirect_uris
        )
        return cls(context, member, registered)

    @property
    def client_id(self) -> str:
        return str(self.registered.client.id)

    @property
    def client_secret(self) -> str:
        assert self.registered.client_secret is not None
        return self.registered.client_secret

    def authorize_url(self, **changes: str | None) -> str:
        """The documented request: client_id, state, redirect_uri. A parameter set to None is left out."""
        query = {"client_id": self.client_id, "state": "s-1", "redirect_uri": REDIRECT_URI, **changes}
        return "/app/oauth2/authorize?" + urlencode({k: v for k, v in query.items() if v is not None})

    async def consent_page(self, browser: Browser, **changes: str | None) -> httpx2.Response:
        """The consent page as this customer sees it, signing in first where needed."""
        page = await browser.get(self.authorize_url(**changes))
        if 'name="password"' in page.text:
            page = await browser.sign_in(page, self.member.email, PASSWORD)
        assert page.status_code == 200, page.text
        return page

    async def code(self, browser: Browser, **changes: str | None) -> str:
        """A fresh code, obtained by really consenting."""
        page = await self.consent_page(browser, **changes)
        return query_of(await browser.submit(page, {"decision": "approve"}, action="/consent"))["code"]

    async def exchange(self, browser: Browser, code: str | None, **changes: str | None) -> httpx2.Response:
        """The documented token request."""
        fields = {"client_id": self.client_id, "client_secret": self.client_secret, "code": code, **changes}
        return await browser.http.post(
            "/app/oauth2/token", data={k: v for k, v in fields.items() if v is not None}
        )

    async def token(self, browser: Browser) -> str:
        answer = await self.exchange(browser, await self.code(browser))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def introspect(self, browser: Browser, token: str) -> dict[str, object]:
        answer = await browser.http.post(
            "/app/oauth2/introspect",
            data={"client_id": self.client_id, "client_secret": self.client_secret, "token": token},
        )
        assert answer.status_code == 200, answer.text
        document: dict[str, object] = answer.json()
        return document
