"""The people and applications of a test: made through the same flows as real ones."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx2

from app.context import Context
from app.flows.account.accept_invitation import accept_as_new
from app.flows.account.add_customer import store_account
from app.flows.account.change_customer import find_person
from app.flows.account.check_guess import Visitor
from app.flows.account.invite import invite
from app.flows.account.register_application import RegisteredApplication, register_application
from app.flows.account.sign_in import SignedIn, open_session, sign_in
from app.flows.mail.links import mint_invitation_secret
from app.oauth.actor import COMMAND_LINE
from app.oauth.member_role import MemberRole
from app.oauth.token_string import new_id
from app.storage.people.members import Member, member_of
from app.storage.people.people import select_sign_in
from app.web.cookies import PLAIN, SECURE
from tests.support.browser import Browser, query_of

PASSWORD = "correct horse battery"
REDIRECT_URI = "https://sitewise.example/callback?tenant=7"
# RFC 7636 appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def confirm_email(context: Context, person_id: UUID) -> None:
    """As if a link that was mailed to the person had been used."""
    confirm = "UPDATE person SET email_confirmed_at = clock_timestamp() WHERE id = $1"
    await context.database.count(confirm, person_id)


# Every customer that was made, in order: a PIN has one fleet that its readings go to, and tests repeat their PINs.
MADE: list[UUID] = []


class Pair(NamedTuple):
    """The two tokens that a strict application is given at once."""

    access: str
    refresh: str


def pair_of(answer: httpx2.Response) -> Pair:
    """The two tokens of an answer. It fails unless the answer is 200 and has both."""
    assert answer.status_code == 200, answer.text
    return Pair(answer.json()["access_token"], answer.json()["refresh_token"])


_HASHES: list[str] = []


async def hash_of_password(context: Context) -> str:
    """Everybody's password is hashed once: a thousand tests and more begin with somebody who has it."""
    if not _HASHES:
        _HASHES.append(await context.passwords.hash(PASSWORD))
    return _HASHES[0]


@dataclass(frozen=True, slots=True)
class World:
    """One customer, one classic application.

    The person owns the account and signs in with PASSWORD. The two are not connected until a code is approved.
    """

    context: Context
    member: Member
    registered: RegisteredApplication

    @classmethod
    async def make(
        cls, context: Context, *, name: str = "Sitewise", redirect_uris: tuple[str, ...] = (REDIRECT_URI,)
    ) -> Self:
        """New ones, in the database of this context. Every address of a person is new, so that tests can share a database."""
        email, company = f"ann.{uuid4().hex[:12]}@hillside.example", "Hillside Plant Hire"
        member = Member(new_id(), email, company, new_id(), company, "owner")
        await store_account(context, COMMAND_LINE, member, await hash_of_password(context))
        MADE.append(member.customer_id)
        registered = await register_application(
            context, COMMAND_LINE, name=name, company="Sitewise Rentals Ltd", redirect_uris=redirect_uris
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
            await let_in(self.context, browser, self.member.email)
            page = await browser.get(self.authorize_url(**changes))
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
        """An access token for this customer's machines, from a code that was really consented to."""
        answer = await self.exchange(browser, await self.code(browser))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def introspect(self, browser: Browser, token: str) -> dict[str, object]:
        """What the application is told of a token. It fails unless the answer is 200."""
        answer = await browser.http.post(
            "/app/oauth2/introspect",
            data={"client_id": self.client_id, "client_secret": self.client_secret, "token": token},
        )
        assert answer.status_code == 200, answer.text
        document: dict[str, object] = answer.json()
        return document


@dataclass(frozen=True, slots=True)
class Strict(World):
    """The same with a strict application, confidential or public: it sends what the RFCs ask for, PKCE too."""

    @classmethod
    async def register(cls, context: Context, **options: Any) -> Self:
        """options: of the registration, such as public or grants."""
        world = await World.make(context)
        registered = await register_application(
            context,
            COMMAND_LINE,
            name="Fuelwatch",
            company="Fuelwatch GmbH",
            kind="strict",
            redirect_uris=(REDIRECT_URI,),
            **options,
        )
        return cls(context, world.member, registered)

    @property
    def credentials(self) -> dict[str, str]:
        """What proves it in a form; a public application has nothing but its id."""
        secret = self.registered.client_secret
        return {"client_id": self.client_id, **({"client_secret": secret} if secret else {})}

    def authorize_url(self, **changes: str | None) -> str:
        sent = {"response_type": "code", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        return World.authorize_url(self, **{**sent, **changes})

    async def exchange(self, browser: Browser, code: str | None, **changes: str | None) -> httpx2.Response:
        sent = {"grant_type": "authorization_code", "code_verifier": VERIFIER, "code": code}
        return await self.ask(browser, **{**sent, **changes})

    async def refresh(self, browser: Browser, token: str | None, **changes: str | None) -> httpx2.Response:
        return await self.ask(browser, **{"grant_type": "refresh_token", "refresh_token": token, **changes})

    async def ask(self, browser: Browser, **fields: str | None) -> httpx2.Response:
        """A request for a token, with the application's credentials. A field that is None is left out."""
        sent = {name: value for name, value in {**self.credentials, **fields}.items() if value is not None}
        return await browser.http.post("/app/oauth2/token", data=sent)

    async def pair(self, browser: Browser) -> Pair:
        """Access and refresh token, from a code that was really consented to."""
        return pair_of(await self.exchange(browser, await self.code(browser)))

    async def refreshed(self, browser: Browser, token: str) -> Pair:
        """The next pair. It fails where the refresh is refused."""
        return pair_of(await self.refresh(browser, token))

    async def revoke(self, browser: Browser, token: str, **fields: str) -> httpx2.Response:
        return await browser.http.post(
            "/app/oauth2/revoke", data={**self.credentials, "token": token, **fields}
        )


async def join(world: World, role: MemberRole, *, name: str = "Bo Berg", email: str | None = None) -> Member:
    """Somebody new of the account, who was invited and accepted. The password is everybody's."""
    context, customer_id = world.context, world.member.customer_id
    address = email or f"bo.{uuid4().hex[:12]}@hillside.example"
    invited = await invite(context, COMMAND_LINE, customer_id, email=address, role=role)
    secret = await mint_invitation_secret(context, invited.id)
    await accept_as_new(context, secret, Visitor("", ""), name=name, password=PASSWORD)
    member = member_of(await find_person(context, address))
    assert member is not None
    return member


async def let_in(context: Context, browser: Browser, email: str) -> None:
    """Sign a person in with a browser, as the form does, but for the check of the password: it takes 25 ms of a processor."""
    visitor = Visitor("127.0.0.1", "127.0.0.1")
    found = await select_sign_in(context.database, email)
    assert found is not None
    async with context.database.transaction() as transaction:
        signed_in = await open_session(context, transaction, found, visitor, attempt={})
    assert signed_in is not None
    prefix = SECURE if context.policy.secure else PLAIN
    browser.keep({f"{prefix}session": signed_in.session, f"{prefix}known": signed_in.known_browser})


async def session_of(context: Context, *, email: str, password: str) -> str | None:
    """The cookie of a new session, signed in to without a browser; None when the password is refused."""
    outcome = await sign_in(context, email=email, password=password, visitor=Visitor("", ""))
    return outcome.session if isinstance(outcome, SignedIn) else None


async def reads(browser: Browser, token: str) -> bool:
    """Whether the API accepts it, which a public application may ask too."""
    answer = await browser.get("/api/v2/Fleet/1", Authorization=f"Bearer {token}")
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200
