"""The running service does what the model does: asked over HTTP, or changed beside it like the command line."""

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx2

from app.flows.account.add_customer import CustomerError, add_customer
from app.flows.account.add_operator import find_operator
from app.flows.account.change_application import ApplicationError, StatusChange, change_status, rotate_secret
from app.flows.account.change_customer import disable_customer, enable_customer
from app.flows.account.register_application import RegisteredApplication, register_application
from app.flows.approval.connections import disconnect_application
from app.flows.approval.manual_grant import ManualRequest, issue_manually
from app.flows.fleet.change_owner import release_machine
from app.flows.moving.import_tokens import import_tokens
from app.oauth.actor import COMMAND_LINE, Actor
from app.oauth.token_string import compose, recognise, secret_digest
from app.storage.people.members import Member
from tests.lifecycle.ageing import Days, make_older
from tests.lifecycle.house import CODE_LIFE_S, OPERATOR, House
from tests.lifecycle.model import (
    IMPORTED,
    AccessToken,
    Application,
    Approval,
    RefreshToken,
    Secret,
    Token,
    WrongCode,
    WrongRefresh,
)
from tests.lifecycle.named import Named
from tests.lifecycle.terms import Connection, Customer, Machine, Terms
from tests.support.approvals import put_code, take_code
from tests.support.browser import Browser, query_of
from tests.support.details import asking
from tests.support.families import read
from tests.support.fleets import fill
from tests.support.people import PASSWORD, REDIRECT_URI, VERIFIER, Strict, World
from tests.support.raw import RawAnswer, get, post
from tests.support.sharing import CONNECTIONS, fields_of

ELSEWHERE = "https://elsewhere.example/"


def document_or_error(answer: RawAnswer) -> dict[str, Any] | str:
    """RFC 6749 sections 5.1 and 5.2: what was answered, or the error's word, which has one status."""
    document: dict[str, Any] = json.loads(answer.body)
    if answer.status == 200:
        return document
    error = str(document["error"])
    assert answer.status == (401 if error == "invalid_client" else 400), answer
    return error


def request(path: str, *, by: RegisteredApplication, **fields: str | None) -> bytes:
    """fields: one that is None is left out; a client_secret takes the place of the registered one."""
    sent = {"client_id": str(by.client.id), "client_secret": by.client_secret, **fields}
    body = urlencode({name: value for name, value in sent.items() if value is not None})
    return post(body.encode(), path=f"/app/oauth2/{path}".encode())


@dataclass(slots=True)
class Service:
    """The real things behind the model's: their secret texts, registrations and people."""

    house: House
    texts: dict[Named, str] = field(default_factory=dict)
    registered: dict[Application, RegisteredApplication] = field(default_factory=dict)
    members: dict[Customer, Member] = field(default_factory=dict)
    browsers: dict[Customer, Browser] = field(default_factory=dict)

    # ---- Asked over HTTP ----

    async def ask(
        self, process: int, path: str, by: Application, **fields: str | None
    ) -> dict[str, Any] | str:
        """The application asks, proving itself by its newest secret."""
        secret = self.texts[by.secret] if by.secret else None
        asked = request(path, by=self.registered[by], client_secret=secret, **fields)
        [answer] = await self.house.ask(process, [asked])
        return document_or_error(answer)

    async def consent(
        self,
        process: int,
        application: Application,
        customer: Customer,
        asked: Terms | None = None,
        chosen: Terms | None = None,
    ) -> str | int:
        """The code that a browser gets by approving, or the status of the page that refuses.

        asked: by details. chosen: on the page; None to approve it as it is.
        """
        details = details_of(asked) if asked else None
        url = self.authorize_url(application, customer, authorization_details=details)
        page = await self._page(process, customer, url)
        if page.status_code != 200:
            return page.status_code
        fields = {"decision": "approve", **(await self._fields(customer, chosen) if chosen else {})}
        answer = await self.browsers[customer].submit(page, fields, action="/consent")
        return query_of(answer)["code"] if answer.status_code == 303 else answer.status_code

    async def refusal(self, process: int, application: Application, customer: Customer, details: str) -> str:
        """The error that a request with such details comes back with; empty for a page of our own."""
        url = self.authorize_url(application, customer, authorization_details=details)
        [answer] = await self.house.ask(process, [get(url.encode())])
        if answer.status != 303:
            return ""
        return parse_qs(urlsplit(answer.headers["location"]).query)["error"][0]

    async def change_terms(
        self, process: int, customer: Customer, application: Application, terms: Terms
    ) -> int:
        """The status that the form of the account page is answered with."""
        address = f"{CONNECTIONS}/{self.client_id(application)}"
        page = await self._page(process, customer, address)
        assert page.status_code == 200, page.text
        fields = await self._fields(customer, terms)
        return (await self.browsers[customer].submit(page, fields, action=address)).status_code

    async def redeem(
        self, process: int, code: Approval, by: Application, wrong: WrongCode | None
    ) -> dict[str, Any] | str:
        """RFC 6749 section 4.1.3. by: any application. wrong: the one thing that is wrong with what it sends."""
        verifier = None if code.application.kind == "classic" else VERIFIER
        return await self.ask(
            process,
            "token",
            by,
            grant_type="authorization_code",
            code=self.forged(code) if wrong == "secret part" else self.texts[code],
            code_verifier="x" * 43 if wrong == "code_verifier" else verifier,
            redirect_uri=ELSEWHERE if wrong == "redirect_uri" else None,
            resource=ELSEWHERE if wrong == "resource" else None,
            authorization_details=asking() if wrong == "details" else None,
        )

    async def refresh(
        self, process: int, token: RefreshToken, by: Application, wrong: WrongRefresh | None
    ) -> dict[str, Any] | str:
        """RFC 6749 section 6. by: any application. wrong: the one thing that is wrong with what it sends."""
        return await self.ask(
            process,
            "token",
            by,
            grant_type="refresh_token",
            refresh_token=self.forged(token) if wrong == "secret part" else self.texts[token],
            scope="aemp:read fleet:write" if wrong == "scope" else None,
            resource=ELSEWHERE if wrong == "resource" else None,
            authorization_details=asking() if wrong == "details" else None,
        )

    # ---- Changed beside it ----

    async def add_customer(self, customer: Customer) -> None:
        email = f"{customer.name}.{uuid4().hex[:12]}@hillside.example"
        self.members[customer] = await add_customer(
            self.house.context, COMMAND_LINE, email=email, name=customer.name, password=PASSWORD
        )
        self.browsers[customer] = Browser(base_url=f"http://localhost:{self.house.ports[0]}")

    async def register(self, application: Application) -> None:
        """All get codes. Those with a secret also act by themselves, and strict ones refresh."""
        kind, acts_for = application.kind, application.acts_for
        grants = ["authorization_code", *(["client_credentials"] if kind != "public" else [])]
        grants += ["refresh_token"] if kind != "classic" else []
        made = await register_application(
            self.house.context,
            COMMAND_LINE,
            name=application.name,
            company="Sitewise Rentals Ltd",
            kind="classic" if kind == "classic" else "strict",
            public=kind == "public",
            grants=tuple(grants),
            redirect_uris=(REDIRECT_URI,),
            customer_id=self.members[acts_for].customer_id if acts_for else None,
        )
        self.registered[application] = made
        if made.client_secret is not None:
            self.texts[application.secrets[0]] = made.client_secret

    async def change_status(self, application: Application, change: StatusChange) -> bool:
        """Whether it could be changed so."""
        with suppress(ApplicationError):
            await change_status(self.house.context, COMMAND_LINE, self.client_id(application), change)
            return True
        return False

    async def enable(self, customer: Customer, *, enabled: bool) -> bool:
        """The same."""
        change = enable_customer if enabled else disable_customer
        with suppress(CustomerError):
            await change(self.house.context, COMMAND_LINE, self.members[customer].email)
            return True
        return False

    async def disconnect(self, customer: Customer, application: Application) -> None:
        client_id = self.registered[application].client.id
        member = self.members[customer]
        await disconnect_application(
            self.house.context, Actor("customer", member.id), member.customer_id, client_id
        )

    async def rotate_secret(self, application: Application, *, overlap: bool) -> str | None:
        """None where it is refused."""
        overlap_for = timedelta(days=7 if overlap else 0)
        with suppress(ApplicationError):
            return await rotate_secret(
                self.house.context, COMMAND_LINE, self.client_id(application), overlap_for
            )
        return None

    async def issue_manually(self, application: Application, customer: Customer) -> str | None:
        """The same."""
        email = self.members[customer].email
        asked = ManualRequest(self.client_id(application), email, "confirmed by telephone")
        with suppress(ApplicationError):
            operator = await find_operator(self.house.context, OPERATOR)
            issuer = Actor("operator", operator.id)
            return (await issue_manually(self.house.context, issuer, asked)).text
        return None

    async def import_token(self, application: Application, customer: Customer) -> str | None:
        """The same."""
        text, ends_at = uuid4().hex, self.house.context.now() + timedelta(days=IMPORTED)
        line = {
            "sha256": secret_digest(text).hex(),
            "client_id": self.client_id(application),
            "customer_email": self.members[customer].email,
            "expires_at": ends_at.isoformat(),
        }
        moved = await import_tokens(self.house.context, COMMAND_LINE, [json.dumps(line).encode()])
        return text if moved.imported else None

    async def leave(self, customer: Customer, machine: Machine) -> None:
        await release_machine(self.house.context, COMMAND_LINE, self.members[customer], machine.name)

    async def join(self, customer: Customer, machine: Machine) -> None:
        await fill(self.house.context, self.members[customer].customer_id, machine.name)

    # ---- Time that passes ----

    async def let_end_come(self, customer: Customer, application: Application) -> None:
        statement = """
            UPDATE connection SET ends_at = clock_timestamp() WHERE customer_id = $1 AND application_id = $2
        """
        parties = self.members[customer].customer_id, self.registered[application].client.id
        await self.house.owner.execute(statement, *parties)

    async def let_code_pass(self, code: Approval) -> None:
        """It was approved too long ago, and Valkey has it still."""
        valkey = self.house.context.valkey
        waiting = await take_code(valkey, read(self.texts[code]).id)
        if waiting is not None:
            earlier = replace(waiting, approved_at_us=waiting.approved_at_us - (CODE_LIFE_S + 1) * 1_000_000)
            await put_code(valkey, earlier, life_ms=2 * CODE_LIFE_S * 1000)

    async def let_secret_pass(self, secret: Secret) -> None:
        statement = "UPDATE client_secret SET expires_at = clock_timestamp() WHERE digest = $1"
        await self.house.owner.execute(statement, secret_digest(self.texts[secret]))

    async def let_days_pass(self, token: Token, idle: int, absolute: int) -> None:
        """Let days pass as the owner does it: the triggers hear the owner as they hear everybody."""
        table = "strict_token"
        if isinstance(token, RefreshToken):
            table = "refresh_token"
        elif isinstance(token, AccessToken) and token.renewable:
            table = "classic_token"
        found = recognise(self.texts[token])
        assert found is not None
        if found.kind == "legacy":
            table = "legacy_token"
        days = Days(timedelta(days=idle), timedelta(days=absolute))
        await make_older(self.house.owner, table, found.id, days)

    # ---- Who is who ----

    def client_id(self, application: Application) -> str:
        return str(self.registered[application].client.id)

    def authorize_url(self, application: Application, customer: Customer, **changes: str | None) -> str:
        kind = World if application.kind == "classic" else Strict
        world = kind(self.house.context, self.members[customer], self.registered[application])
        return world.authorize_url(**changes)

    def forged(self, named: Approval | Token) -> str:
        """The same id with another secret part."""
        whole = read(self.texts[named])
        return compose(whole.kind, whole.token_class, whole.id, bytes(20)).text

    def described(self, token: Token, connection: Connection | None) -> tuple[object, ...]:
        """A token's application, the customer it acts for, its days, and what its connection shares.

        The same as `told_by` reads off an introspection.
        """
        client_id = self.client_id(token.application)
        subject = str(self.members[token.customer].customer_id) if token.customer else client_id
        return client_id, subject, round(token.idle_left), connection.told if connection else None

    # ---- What a person sees ----

    async def _page(self, process: int, customer: Customer, path: str) -> httpx2.Response:
        """A page as the customer gets it, signing in where that is asked for."""
        browser = self.browsers[customer]
        page = await browser.get(f"http://localhost:{self.house.ports[process]}{path}")
        if 'name="password"' in page.text:
            fields = {"email": self.members[customer].email, "password": PASSWORD}
            answer = await browser.submit(page, fields, action="/app/login")
            page = await browser.follow(answer) if answer.status_code == 303 else answer
        return page

    async def _fields(self, customer: Customer, terms: Terms) -> dict[str, str]:
        """The fields of a form on which exactly this is chosen."""
        chosen = [each.name for each in terms.machines or ()]
        fields = await fields_of(self.house.context, self.members[customer].customer_id)
        return {
            "machines": "all" if terms.machines is None else "these",
            **{field: "on" if pin in chosen else "" for pin, field in fields.items()},
            "history_from": terms.begins or "",
            "ends_at": (terms.ends or "").removesuffix("Z"),
        }


def details_of(asked: Terms) -> str:
    """The parameter of an application that asks so."""
    limits = {"history_from": asked.begins, "ends_at": asked.ends}
    members = {name: value for name, value in limits.items() if value is not None}
    return asking(*(each.name for each in asked.machines or ()), **members)


def told_by(introspection: dict[str, Any]) -> tuple[object, ...] | None:
    """None for a token that is not active."""
    if introspection == {"active": False}:
        return None
    days = round((introspection["exp"] - time()) / 86_400)
    account = introspection.get("account", {"id": introspection["sub"]})
    return introspection["client_id"], account["id"], days, introspection.get("authorization_details")
