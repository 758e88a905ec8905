"""R-76: what people write of themselves and their machines is refused by its length, before it costs or changes anything."""

from collections.abc import Awaitable, Callable

import pytest

from app.context import Context
from app.flows.account.add_customer import PersonError, add_customer
from app.flows.account.add_operator import add_operator, find_operator
from app.flows.account.change_application import ApplicationError, find_application
from app.flows.account.change_customer import find_member, set_password
from app.flows.account.register_application import register_application
from app.flows.account.sign_in import SignInError
from app.flows.approval.manual_grant import ManualGrantError, ManualRequest, issue_manually
from app.flows.fleet.change_owner import release_machine
from app.flows.fleet.find_machine import MachineError
from app.oauth.actor import COMMAND_LINE, Actor
from app.oauth.redirect_uri import RedirectUriError
from app.oauth.registration import RegistrationError
from app.oauth.token_string import new_id
from tests.support.people import PASSWORD, World, session_of
from tests.support.ticks import held_least

ACCENTS = "\N{COMBINING ACUTE ACCENT}" * 15_000 + "\N{COMBINING DOT BELOW}" * 15_000
NO_EMAIL = "e-mail address: at most 254 characters"

Attempt = Callable[[World], Awaitable[object]]


def new(**fields: str) -> Attempt:
    given = {"email": "bo@quarry.example", "name": "Bo", "password": PASSWORD, **fields}
    return lambda world: add_customer(world.context, COMMAND_LINE, **given)


def issued(reason: str) -> Attempt:
    return lambda world: issue_manually(
        world.context, Actor("operator", new_id()), ManualRequest(world.client_id, world.member.email, reason)
    )


def registered(**fields: object) -> Attempt:
    given = {"name": "Sitewise", "company": "Sitewise Ltd", **fields}
    return lambda world: register_application(world.context, COMMAND_LINE, **given)  # type: ignore[arg-type]  # each as its field has it


def of_the_customer(work: Callable[[Context, str], Awaitable[object]], email: str) -> Attempt:
    return lambda world: work(world.context, email)


REFUSED: dict[str, tuple[Attempt, type[Exception], str]] = {
    "password": (new(password=ACCENTS), PersonError, "password: 10 to 1000 characters"),
    "e-mail address": (new(email=ACCENTS), PersonError, NO_EMAIL),
    "host of an address": (new(email=f"bo@{ACCENTS}.example"), PersonError, NO_EMAIL),
    "name of a person": (new(name=ACCENTS), PersonError, "name: 1 to 120 printable characters"),
    "operator": (
        lambda world: add_operator(
            world.context, COMMAND_LINE, email=ACCENTS, name="Olga", role="reviewer", password=PASSWORD
        ),
        PersonError,
        NO_EMAIL,
    ),
    "address of nobody": (of_the_customer(find_member, ACCENTS), PersonError, NO_EMAIL),
    "new password": (
        lambda world: set_password(
            world.context, COMMAND_LINE, world.member.email, ACCENTS, cut_applications=False
        ),
        PersonError,
        "password: 10 to 1000 characters",
    ),
    "operator's address": (of_the_customer(find_operator, ACCENTS), PersonError, NO_EMAIL),
    "reason": (issued(reason=ACCENTS), ManualGrantError, "reason: 1 to 500 printable characters"),
    "name": (registered(name=ACCENTS), RegistrationError, "name: 1 to 120 characters"),
    "company": (registered(company=ACCENTS), RegistrationError, "company: 1 to 120 characters"),
    "redirect URI": (
        registered(redirect_uris=(f"https://a.example/{'x' * 100_000}",)),
        RedirectUriError,
        "is longer than 2000 characters",
    ),
    "redirect URIs": (
        registered(redirect_uris=("https://a.example/",) * 10_000),
        RegistrationError,
        "redirect URIs: at most 20",
    ),
    "scope": (registered(scope=(ACCENTS,)), RegistrationError, "scope: at most 64 characters each"),
    "grant": (registered(grants=(ACCENTS,)), RegistrationError, "grant: at most 64 characters each"),
    "audience": (
        registered(audience=f"https://{ACCENTS}"),
        RegistrationError,
        "audience: at most 2000 characters",
    ),
    "client_id": (
        lambda world: find_application(world.context, "x" * 100_000),
        ApplicationError,
        f"no application has the client_id {'x' * 40}",
    ),
    "machine": (
        lambda world: release_machine(world.context, COMMAND_LINE, world.member, ACCENTS),
        MachineError,
        "a machine's identifier is longer than 255 characters",
    ),
    "sign-in": (
        lambda world: session_of(world.context, email=world.member.email, password=ACCENTS),
        SignInError,
        "A password has at most 1,000 characters.",
    ),
    "address of a sign-in": (
        lambda world: session_of(world.context, email=ACCENTS, password="x"),
        SignInError,
        "An e-mail address has at most 254 characters.",
    ),
}


@pytest.mark.parametrize(("attempt", "error", "told"), REFUSED.values(), ids=REFUSED.keys())
async def test_too_long_is_refused_by_its_bound_and_at_once(
    world: World, attempt: Attempt, error: type[Exception], told: str
) -> None:
    """R-76, R-110."""

    async def refused() -> str:
        with pytest.raises(error) as caught:
            await attempt(world)
        return str(caught.value)

    said, held_s = await held_least(refused)
    assert told in said
    assert held_s < 0.05
    assert len(said) < 2_200


async def test_password_of_a_thousand_accents_is_a_password(context: Context) -> None:
    """And the same key strokes are the same password, however they were composed."""
    password = "\N{GREEK SMALL LETTER ALPHA}\N{COMBINING ACUTE ACCENT}" * 500
    member = await add_customer(
        context,
        COMMAND_LINE,
        email=f"{password[:2]}{id(password)}@hillside.example",
        name="Bo",
        password=password,
    )
    composed = "\N{GREEK SMALL LETTER ALPHA WITH TONOS}" * 500
    assert await session_of(context, email=member.email, password=composed)
