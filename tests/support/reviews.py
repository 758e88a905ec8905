"""An application on its way to real customers: described by its owner, handed in, and decided about."""

import hashlib
from pathlib import Path
from uuid import UUID, uuid4

import httpx2

from app.context import Context
from app.flows.account.register_application import register_application
from app.flows.developer.change_own import ChangeOutcome, Wanted, change_own_application
from app.flows.developer.hand_in import hand_in
from app.flows.developer.review import approve_review
from app.flows.developer.standing import Standing, read_standing
from app.oauth.actor import COMMAND_LINE, Actor
from app.oauth.client import Client
from app.oauth.token_string import new_id
from app.storage.people.logos import Logo, insert_logo
from app.storage.people.people import Person, insert_person, mark_email_confirmed
from tests.support.browser import Browser
from tests.web.reading import found

LOGO = Path(__file__).parents[2] / "app/web/pages/static/sitewise.png"
CALLBACK = "https://sitewise.example/callback"
PRIVACY = "https://sitewise.example/privacy"


async def new_owner(context: Context, name: str = "Olga Owner") -> Person:
    """Somebody with a confirmed address, who owns nothing yet."""
    person = Person(new_id(), f"olga.{uuid4().hex[:12]}@sitewise.example", name)
    await insert_person(context.database, person, "x")
    await mark_email_confirmed(context.database, person.id)
    return person


def owner(person: Person) -> Actor:
    return Actor("application owner", person.id)


def unlike_any_other() -> str:
    """A name that no other test's looks like."""
    return f"Sitewise {uuid4().hex}"


async def register(
    context: Context,
    person: Person,
    *,
    name: str = "",
    addresses: tuple[str, ...] = (CALLBACK,),
    public: bool = False,
) -> Client:
    """In test mode, with a logo. No test customer is made, and no picture is encoded anew: each takes its time."""
    called = name or unlike_any_other()
    registered = await register_application(
        context,
        owner(person),
        name=called,
        company=f"{called} Ltd",
        redirect_uris=addresses,
        public=public,
        owner_id=person.id,
    )
    png = LOGO.read_bytes()
    digest = hashlib.sha256(png).digest()
    await insert_logo(context.database, Logo(digest, png, None))
    set_logo = "UPDATE application SET logo_digest = $2 WHERE id = $1"
    await context.database.count(set_logo, registered.client.id, digest)
    return registered.client


def wanted_of(standing: Standing, **changes: object) -> Wanted:
    """What its settings show, with changes."""
    described, contact = standing.wanted, standing.contact
    held: dict[str, object] = {
        "name": described.name,
        "company": described.company,
        "redirect_uris": described.redirect_uris,
        "terms_uri": described.terms_uri or "",
        "privacy_uri": described.privacy_uri or "",
        "scope": dict.fromkeys(described.scope, "To show them"),
        "contact_id": contact.person_id if contact else None,
    }
    return Wanted(**{**held, **changes})  # type: ignore[arg-type]  # by the names of its members


async def change(context: Context, person: Person, application_id: UUID, **changes: object) -> ChangeOutcome:
    return await change_from(context, person, await read_standing(context, application_id), **changes)


async def change_from(
    context: Context, person: Person, standing: Standing, **changes: object
) -> ChangeOutcome:
    """standing: what the page showed."""
    wanted, application_id = wanted_of(standing, **changes), standing.application.client.id
    return await change_own_application(context, owner(person), application_id, wanted, seen=standing.seen)


async def handed_in(
    context: Context,
    person: Person,
    *,
    name: str = "",
    addresses: tuple[str, ...] = (CALLBACK,),
    logo: bytes | None = None,
) -> Client:
    """An application in test mode that waits for its review. logo: in the place of the usual one."""
    client = await register(context, person, name=name, addresses=addresses)
    await change(context, person, client.id, privacy_uri=PRIVACY, logo=logo)
    seen = (await read_standing(context, client.id)).seen
    await hand_in(context, owner(person), client.id, seen=seen, message="Hello", contact_id=person.id)
    return client


async def live(context: Context, person: Person, *, name: str = "") -> Client:
    """One that a reviewer approved."""
    client = await handed_in(context, person, name=name)
    await approve_review(context, COMMAND_LINE, client.id)
    return (await read_standing(context, client.id)).application.client


async def upload(browser: Browser, path: str, fields: dict[str, str]) -> httpx2.Response:
    """Post the form with a file of a page, with a logo chosen."""
    page = await browser.get(path)
    [hidden] = found(page, "//form[@enctype]//input[@type='hidden']/@value")
    return await browser.http.post(
        path,
        data={"form": str(hidden), **fields},
        files={"logo": ("logo.png", LOGO.read_bytes(), "image/png")},
    )
