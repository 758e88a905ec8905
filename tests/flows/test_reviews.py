"""What customers recognise an application by changes on a live one with a reviewer's yes alone."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from app.context import Context
from app.flows.account.add_operator import add_operator
from app.flows.account.change_application import (
    ApplicationError,
    StatusChange,
    change_application,
    change_status,
    find_application,
)
from app.flows.account.change_operator import disable_operator, set_operator_role
from app.flows.account.prove import FieldError
from app.flows.account.rights import OwnerError
from app.flows.developer.change_own import ChangeOutcome, delete_own_application
from app.flows.developer.hand_in import hand_in, withdraw
from app.flows.developer.proposing import ReviewError
from app.flows.developer.ready import NotReadyError, checklist
from app.flows.developer.review import (
    ReviewerError,
    approve_application,
    approve_review,
    refuse_review,
)
from app.flows.developer.reviews import find_review, list_reviews
from app.flows.developer.standing import read_standing
from app.oauth.actor import COMMAND_LINE, Actor
from app.oauth.redirect_uri import RedirectUriError
from app.oauth.registration import RegistrationError
from app.refused import RefusedError
from app.storage.people.application_changes import ApplicationChanges
from app.storage.people.application_owners import insert_application_owner
from app.storage.people.application_reviews import select_last_decided, select_open_review
from app.storage.people.people import OperatorRole, Person
from tests.support.people import PASSWORD, World
from tests.support.reviews import (
    CALLBACK,
    LOGO,
    PRIVACY,
    change,
    change_from,
    handed_in,
    live,
    new_owner,
    owner,
    register,
    unlike_any_other,
)

OTHER = "https://other.example/callback"


@pytest.fixture
async def person(context: Context) -> Person:
    return await new_owner(context)


async def operator(context: Context, role: OperatorRole) -> Actor:
    email = f"{unlike_any_other().replace(' ', '.')}@rovitracker.example".lower()
    made = await add_operator(
        context, COMMAND_LINE, email=email, name="Rita Reyes", role=role, password=PASSWORD
    )
    return Actor("operator", made.id)


async def event_of(context: Context, application_id: UUID) -> str:
    row = await context.database.row(
        "SELECT event FROM audit_event WHERE application_id = $1 ORDER BY id DESC LIMIT 1", application_id
    )
    assert row is not None
    return str(row["event"])


async def test_test_mode_changes_hold_at_once(context: Context, person: Person) -> None:
    client = await register(context, person)
    assert await change(context, person, client.id, name="Other") == "saved"
    found = await find_application(context, client.client_id)
    assert (found.client.name, found.client.test) == ("Other", True)
    assert await event_of(context, client.id) == "application.updated"


async def test_going_live_takes_http_addresses_out(context: Context, person: Person) -> None:
    addresses = ("http://localhost:3000/cb", CALLBACK, "http://127.0.0.1:3000/cb")
    client = await handed_in(context, person, addresses=addresses)
    await approve_review(context, COMMAND_LINE, client.id)
    found = await find_application(context, client.client_id)
    assert found.client.redirect_uris == (CALLBACK,)
    assert found.live_at is not None
    assert await event_of(context, client.id) == "application.went_live"


async def test_every_process_hears_of_it(context: Context, person: Person) -> None:
    client = await handed_in(context, person)
    before = await context.gathered.applications.find(client.id)
    assert before is not None
    assert before.client.test
    await approve_review(context, COMMAND_LINE, client.id)
    after = await context.gathered.applications.find(client.id)
    assert after is not None
    assert not after.client.test


async def test_a_live_application_keeps_its_approved_version_while_another_waits(
    context: Context, person: Person
) -> None:
    client = await live(context, person)
    assert (
        await change(context, person, client.id, name="Another", redirect_uris=(CALLBACK, OTHER))
        == "proposed"
    )
    standing = await read_standing(context, client.id)
    assert standing.application.client == client
    assert standing.review is not None
    found = await find_review(context, standing.review.id)
    assert any("other.example, which is new" in mark for mark in found.marks)
    await approve_review(context, COMMAND_LINE, client.id, seen=standing.seen)
    now = (await read_standing(context, client.id)).application.client
    assert (now.name, now.redirect_uris, now.test) == ("Another", (CALLBACK, OTHER), False)


async def test_a_refusal_changes_nothing_and_says_why(context: Context, person: Person) -> None:
    client = await live(context, person)
    await change(context, person, client.id, company="RoviTracker")
    await refuse_review(context, COMMAND_LINE, client.id, reason="That is our name.")
    standing = await read_standing(context, client.id)
    assert (standing.application.client, standing.review) == (client, None)
    last = await select_last_decided(context.database, client.id)
    assert last is not None
    assert (last.decision, last.reason) == ("refused", "That is our name.")
    with pytest.raises(ReviewError):
        await approve_review(context, COMMAND_LINE, client.id)


async def test_fewer_scopes_hold_at_once_and_more_wait(context: Context, person: Person) -> None:
    client = await live(context, person)
    more = {"aemp:read": "", "account:read": "To greet them", "telemetry:write": ""}
    assert await change(context, person, client.id, scope=more) == "proposed"
    await approve_review(context, COMMAND_LINE, client.id)
    fewer = {"account:read": "", "aemp:read": ""}
    assert await change(context, person, client.id, scope=fewer) == "saved"
    now = (await read_standing(context, client.id)).application.client
    assert now.scope == ("account:read", "aemp:read")
    with pytest.raises(FieldError):
        await change(context, person, client.id, scope={"admin:write": "", "aemp:read": ""})


async def test_what_no_customer_sees_holds_at_once(context: Context, person: Person) -> None:
    client = await live(context, person)
    other = await new_owner(context, "Otto")
    await insert_application_owner(context.database, client.id, other.id)
    saved = await change(context, person, client.id, contact_id=other.id, scope={"aemp:read": "For the map"})
    standing = await read_standing(context, client.id)
    assert (saved, standing.review) == ("saved", None)
    assert standing.contact is not None
    assert (standing.contact.person_id, standing.scope_reasons) == (other.id, {"aemp:read": "For the map"})


async def test_a_proposal_that_comes_to_nothing_is_withdrawn(context: Context, person: Person) -> None:
    client = await live(context, person)
    await change(context, person, client.id, name="Another")
    assert await change(context, person, client.id, name=client.name) == "saved"
    assert await select_open_review(context.database, client.id) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"company": "a\u200bb"},
        {"redirect_uris": ("http://localhost/cb",)},
        {"redirect_uris": ("https://x.example/#a",)},
        {"redirect_uris": tuple(f"https://x.example/{number}" for number in range(21))},
        {"terms_uri": "javascript:alert(1)"},
        {"terms_uri": "http://x.example/"},
        {"privacy_uri": "https://user@x.example/"},
        {"privacy_uri": ""},
        {"privacy_uri": "https://x.example/" + "a" * 2000},
        {"message": "a" * 1001},
        {"message": "a\u202eb"},
        {"scope": {"aemp:read": "a" * 281}},
        {"contact_id": UUID(int=7)},
        {"logo": b"GIF89a"},
    ],
    ids=str,
)
async def test_what_is_refused_changes_nothing(
    context: Context, person: Person, changes: dict[str, object]
) -> None:
    client = await live(context, person)
    before = await read_standing(context, client.id)
    with pytest.raises((RegistrationError, RedirectUriError, FieldError, NotReadyError, RefusedError)):
        await change(context, person, client.id, **{"name": "Another", **changes})
    assert await read_standing(context, client.id) == before


async def test_the_checklist_is_asked_for(context: Context, person: Person) -> None:
    client = await register(context, person, addresses=("http://localhost/cb",))
    standing = await read_standing(context, client.id)
    assert [point.met for point in checklist(standing)] == [False, True, False, False, True]
    with pytest.raises(NotReadyError, match="redirect address"):
        await hand_in(context, owner(person), client.id, seen=standing.seen, message="", contact_id=person.id)
    assert await select_open_review(context.database, client.id) is None


async def test_of_two_owners_the_second_sees_what_the_first_changed(context: Context, person: Person) -> None:
    client = await live(context, person)
    other = await new_owner(context, "Otto")
    await insert_application_owner(context.database, client.id, other.id)
    shown = await read_standing(context, client.id)
    outcomes = await asyncio.gather(
        change_from(context, person, shown, name="One"),
        change_from(context, other, shown, name="Two"),
        return_exceptions=True,
    )
    [refused] = [each for each in outcomes if isinstance(each, BaseException)]
    assert isinstance(refused, ReviewError)
    assert refused.code == "changed_meanwhile"


async def test_of_two_reviewers_at_once_one_decides(context: Context, person: Person) -> None:
    client = await handed_in(context, person)
    seen = (await read_standing(context, client.id)).seen
    first, second = await operator(context, "reviewer"), await operator(context, "admin")
    outcomes = await asyncio.gather(
        approve_review(context, first, client.id, seen=seen),
        refuse_review(context, second, client.id, reason="No", seen=seen),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["NoneType", "ReviewError"]
    found = await find_application(context, client.client_id)
    assert (found.live_at is not None) == (outcomes[0] is None)


async def test_what_the_owner_changed_meanwhile_is_not_approved(context: Context, person: Person) -> None:
    """In either order: nobody's customers meet what no reviewer has seen."""
    client = await handed_in(context, person)
    shown = await read_standing(context, client.id)
    evil = unlike_any_other()
    outcomes = await asyncio.gather(
        approve_review(context, COMMAND_LINE, client.id, seen=shown.seen),
        change_from(context, person, shown, name=evil),
        return_exceptions=True,
    )
    found = await find_application(context, client.client_id)
    if found.client.test:
        assert isinstance(outcomes[0], ReviewError)
    assert found.client.test or found.client.name == client.name
    assert sum(isinstance(each, ReviewError) for each in outcomes) == 1


async def test_a_change_in_test_mode_goes_into_the_review_that_waits(
    context: Context, person: Person
) -> None:
    client = await handed_in(context, person)
    seen = (await read_standing(context, client.id)).seen
    await change(context, person, client.id, name="Newer", redirect_uris=("http://localhost/cb", OTHER))
    with pytest.raises(ReviewError, match="meanwhile"):
        await approve_review(context, COMMAND_LINE, client.id, seen=seen)
    review = await select_open_review(context.database, client.id)
    assert review is not None
    assert (review.proposed.name, review.proposed.redirect_uris, review.message) == (
        "Newer",
        (OTHER,),
        "Hello",
    )


async def test_only_reviewers_decide(context: Context, person: Person) -> None:
    client = await handed_in(context, person)
    support, former = await operator(context, "support"), await operator(context, "reviewer")
    row = await context.database.row("SELECT email FROM person WHERE id = $1", former.id)
    assert row is not None
    await disable_operator(context, COMMAND_LINE, row["email"])
    for actor in (support, former, owner(person), Actor("customer", person.id), Actor("operator")):
        with pytest.raises(ReviewerError):
            await approve_review(context, actor, client.id)
        with pytest.raises(ReviewerError):
            await refuse_review(context, actor, client.id, reason="No")
    assert (await find_application(context, client.client_id)).client.test


async def test_a_reviewer_does_not_decide_about_their_own(context: Context, person: Person) -> None:
    client = await handed_in(context, person)
    await set_operator_role(context, COMMAND_LINE, person.email, "reviewer")
    with pytest.raises(ReviewerError, match="another reviewer"):
        await approve_review(context, Actor("operator", person.id), client.id)


async def test_strangers_and_former_owners_change_nothing(context: Context, person: Person) -> None:
    client = await handed_in(context, person)
    stranger = await new_owner(context, "Eve")
    seen = (await read_standing(context, client.id)).seen
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: change(context, stranger, client.id, name="Eve's"),
        lambda: withdraw(context, owner(stranger), client.id),
        lambda: hand_in(context, owner(stranger), client.id, seen=seen, message="", contact_id=stranger.id),
        lambda: delete_own_application(context, owner(stranger), client.id, typed_name=client.name),
    )
    for attempt in attempts:
        with pytest.raises((OwnerError, ApplicationError)) as refused:
            await attempt()
        assert refused.value.status == 403
    assert (await read_standing(context, client.id)).seen == seen


async def test_a_suspended_application_stands_still(context: Context, person: Person) -> None:
    client = await handed_in(context, person)
    await change_status(context, COMMAND_LINE, client.client_id, "suspend")
    with pytest.raises(ReviewError, match="suspended"):
        await approve_review(context, COMMAND_LINE, client.id)
    with pytest.raises(OwnerError, match="suspended"):
        await change(context, person, client.id, name="Another")
    changes: tuple[StatusChange, ...] = ("resume", "approve", "suspend")
    for status in changes:
        with pytest.raises(ApplicationError, match="only an operator"):
            await change_status(context, owner(person), client.client_id, status)


async def test_deleting_takes_the_proposal_along(context: Context, person: Person) -> None:
    client = await handed_in(context, person)
    with pytest.raises(FieldError):
        await delete_own_application(context, owner(person), client.id, typed_name="Something else")
    await delete_own_application(context, owner(person), client.id, typed_name=client.name)
    assert client.id not in [each.application.client.id for each in await list_reviews(context)]
    with pytest.raises(RefusedError):
        await approve_application(context, COMMAND_LINE, client.client_id)


async def test_the_same_picture_and_names_like_another_are_marked(context: Context, person: Person) -> None:
    known = await live(context, person)
    hostile = known.name.replace("Sitewise", "\u0405itewise")
    stranger = await new_owner(context, "Eve")
    client = await handed_in(context, stranger, name=hostile)
    review = await select_open_review(context.database, client.id)
    assert review is not None
    marks = " ".join((await find_review(context, review.id)).marks)
    assert f"{hostile} looks like {known.name} of {known.company}." in marks
    assert "The logo is that of Sitewise" in marks
    assert "several alphabets" in marks
    again = await handed_in(context, person, name=known.name)
    own = await select_open_review(context.database, again.id)
    assert own is not None
    assert f"looks like {known.name} " not in " ".join((await find_review(context, own.id)).marks)


async def test_a_picture_that_was_encoded_anew_is_marked(context: Context, person: Person) -> None:
    """To the byte it is another one."""
    known = await live(context, person)
    with Image.open(LOGO) as picture:
        smaller = picture.convert("RGB").resize((96, 96))
    copied = BytesIO()
    smaller.save(copied, "JPEG", quality=50)
    await change(context, person, known.id, logo=LOGO.read_bytes())
    await approve_review(context, COMMAND_LINE, known.id)
    client = await handed_in(context, await new_owner(context, "Eve"), logo=copied.getvalue())
    review = await select_open_review(context.database, client.id)
    assert review is not None
    marks = (await find_review(context, review.id)).marks
    assert f"The logo looks like that of {known.name} of {known.company}." in marks


async def test_one_that_was_stored_as_pending_is_approved_as_before(world: World) -> None:
    context, client = world.context, world.registered.client
    await context.database.count("UPDATE application SET status = 'pending' WHERE id = $1", client.id)
    approved = await approve_application(context, COMMAND_LINE, client.client_id)
    assert approved.status == "active"
    with pytest.raises(ReviewError):
        await approve_application(context, COMMAND_LINE, client.client_id)


async def test_no_verb_of_an_owner_changes_what_customers_see_of_a_live_application(
    context: Context, person: Person
) -> None:
    """All they do is tried in any order, and nothing leads back to test mode."""
    client = await live(context, person)
    before = (await read_standing(context, client.id)).application
    chance = random.Random(7)  # noqa: S311  # a walk that can be repeated

    async def settings() -> ChangeOutcome | str:
        changes: dict[str, object] = {
            "name": unlike_any_other(),
            "company": unlike_any_other(),
            "redirect_uris": (OTHER,),
            "terms_uri": "https://other.example/terms",
            "privacy_uri": "https://other.example/privacy",
            "scope": {"aemp:read": "", "account:read": ""},
        }
        some = chance.sample(sorted(changes), chance.randint(1, len(changes)))
        return await change(context, person, client.id, **{name: changes[name] for name in some})

    async def raw() -> object:
        changes = ApplicationChanges(
            **chance.choice([{"name": "x"}, {"redirect_uris": (OTHER,)}, {"grants": frozenset()}])  # type: ignore[arg-type]
        )
        return await change_application(context, owner(person), client.client_id, changes)

    async def picture() -> object:
        return await change_application(
            context, owner(person), client.client_id, ApplicationChanges(), logo=b"x"
        )

    async def handing_in() -> None:
        seen = (await read_standing(context, client.id)).seen
        await hand_in(context, owner(person), client.id, seen=seen, message="", contact_id=person.id)

    async def approving() -> None:
        await approve_review(context, owner(person), client.id)

    async def taking_back() -> None:
        await withdraw(context, owner(person), client.id)

    async def refused() -> None:
        await refuse_review(context, COMMAND_LINE, client.id, reason="No")

    walk = (settings, settings, raw, picture, handing_in, approving, taking_back, refused)
    for _ in range(40):
        with suppress(RefusedError):
            await chance.choice(walk)()
        now = (await read_standing(context, client.id)).application
        assert replace(now, client=replace(now.client, secrets=())) == replace(
            before, client=replace(before.client, secrets=())
        )
    await settings()
    await approve_review(context, COMMAND_LINE, client.id)
    assert (await read_standing(context, client.id)).application != before


async def test_an_owner_changes_no_link_and_no_company_elsewhere(context: Context, person: Person) -> None:
    """Test mode lets an owner describe it, but never set the customer that it acts for."""
    client = await register(context, person)
    for changes in (ApplicationChanges(customer_id=UUID(int=7)), ApplicationChanges(grants=frozenset({"x"}))):
        with pytest.raises(RefusedError):
            await change_application(context, owner(person), client.client_id, changes)
    assert PRIVACY not in ((await read_standing(context, client.id)).application.privacy_uri or "")
