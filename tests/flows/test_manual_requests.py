"""Requests of the manual route: who may do what when, what each refusal leaves behind, and who wins of two at once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.context import Context
from app.flows.account.add_customer import PersonError
from app.flows.account.add_operator import OperatorError
from app.flows.account.change_application import change_status
from app.flows.account.change_customer import disable_customer
from app.flows.account.prove import FieldError
from app.flows.account.rights import OwnerError, RoleError
from app.flows.approval.connections import disconnect_application
from app.flows.approval.terms import Terms
from app.flows.mail.links import LinkError
from app.flows.manual.answer import approve_request, deny_request, find_waiting_request, list_waiting_requests
from app.flows.manual.ask import (
    MOST_A_DAY,
    ask_customer,
    list_requests_of,
    resend_pick_up,
    withdraw_request,
)
from app.flows.manual.collect import collect_token, find_pick_up
from app.flows.manual.expire import expire_requests
from app.flows.manual.judge import list_requests, refuse_request, release_request
from app.flows.manual.standing import AccessRequestError
from app.flows.manual.words import check_asking
from app.oauth.actor import COMMAND_LINE, SERVICE, Actor
from app.oauth.token_string import parse
from app.storage.people.application_owners import insert_application_owner
from app.storage.people.own_data import select_own_data
from app.storage.token.connection_lists import select_connected_customers, select_connections
from tests.support.browser import Browser
from tests.support.people import World, join, reads
from tests.support.requests import WHY, Asking, add_owner, add_reviewer


@pytest.fixture
async def asking(context: Context) -> Asking:
    return await Asking.make(context)


async def test_the_whole_route_ends_in_a_token_of_the_customers_yes(asking: Asking, browser: Browser) -> None:
    """O-143: the trail has each step, mails go to everybody concerned, and both sides see the connection."""
    context, member = asking.context, asking.world.member
    request_id = await asking.ask()
    assert not await list_waiting_requests(context, member.customer_id), "nothing leaves before"
    await release_request(context, asking.reviewer, request_id, reason="Known company")
    assert await asking.mails("access_asked", member.email) == 1
    [waiting] = await list_waiting_requests(context, member.customer_id)
    assert (waiting.id, waiting.reason, waiting.asker) == (request_id, WHY, asking.owner.name)
    await approve_request(context, member.actor, member, request_id, Terms())
    assert await asking.mails("token_waits") == 1
    assert await asking.mails("connection_changed", member.email) == 1
    [seen] = await select_connections(
        context.database, member.customer_id, legacy_until=None, code_life=timedelta(minutes=1)
    )
    assert (seen.application_id, seen.member_names) == (asking.application_id, (member.name,))
    assert await asking.made() == 0
    token = await collect_token(context, asking.actor, await asking.link(request_id))
    parsed = parse(token.text)
    assert parsed is not None
    assert parsed.token_class == "c"
    assert await reads(browser, token.text)
    [shown] = await select_connected_customers(context.database, asking.application_id, 10)
    assert (shown.customer, shown.route) == (member.customer_name, "manual")
    judged_at = (await asking.stands(request_id)).judged_at
    assert judged_at is not None
    assert (shown.confirmed_by, shown.released_at) == (member.name, judged_at)
    [seen] = await select_connections(
        context.database, member.customer_id, legacy_until=None, code_life=timedelta(minutes=1)
    )
    assert seen.member_names == (member.name,)
    assert await asking.events() == [
        "request.asked",
        "request.released",
        "request.approved",
        "request.collected",
    ]
    await disconnect_application(context, member.actor, member.customer_id, asking.application_id)
    assert not await reads(browser, token.text)


async def test_the_terms_of_the_yes_bind(asking: Asking) -> None:
    """As on the consent page: a choice that would share nothing leaves the request as it was."""
    request_id, member = await asking.release(), asking.world.member
    with pytest.raises(FieldError):
        await approve_request(
            asking.context, member.actor, member, request_id, Terms(machines=frozenset({1}))
        )
    assert (await asking.stands(request_id)).state == "released"
    assert not await select_connected_customers(asking.context.database, asking.application_id, 10)


@pytest.mark.parametrize("known", [True, False])
async def test_nothing_tells_the_asker_whether_there_is_such_a_customer(
    asking: Asking, *, known: bool
) -> None:
    """R-54: somebody who says no, and nobody, look the same until the end, and in the mail about it."""
    context, member = asking.context, asking.world.member
    request_id = await asking.release(None if known else f"nobody.{uuid4().hex}@hillside.example")
    if known:
        await deny_request(context, member.actor, member, request_id)
        assert not await list_waiting_requests(context, member.customer_id)
    [seen] = await list_requests_of(context, asking.application_id)
    assert (seen.open, seen.late, seen.closed_at) == (True, False, None)
    with pytest.raises(AccessRequestError, match="is open"):
        await asking.ask(seen.customer_email)
    told = await select_own_data(context.database, asking.owner.id)
    assert "denied" not in str(told["requests_asked"])
    await asking.pass_time(request_id)
    assert await expire_requests(context) >= 1
    [seen] = await list_requests_of(context, asking.application_id)
    assert not seen.open
    assert await asking.mails("request_ended") == 1
    assert await expire_requests(context) == 0


async def test_a_token_that_nobody_picks_up_is_never_made(asking: Asking) -> None:
    request_id = await asking.approve()
    link = await asking.link(request_id)
    await asking.pass_time(request_id)
    for _ in range(2):  # before the round of upkeep, and after it
        with pytest.raises(LinkError, match="waited for 14 days"):
            await collect_token(asking.context, asking.actor, link)
        await expire_requests(asking.context)
    assert (await asking.made(), await asking.mails("request_ended")) == (0, 1)
    assert (await asking.events())[-1] == "request.expired"


@pytest.mark.parametrize(
    ("email", "reason", "kind"),
    [
        ("no address", WHY, PersonError),
        ("ann@hillside.example", "", FieldError),
        ("ann@hillside.example", "https://evil.example/pay", FieldError),
        ("ann@hillside.example", "x" * 281, FieldError),
        ("ann@hillside.example", "x " * 4000, FieldError),
        ("ann@hillside.example", "bell\x07", FieldError),
        ("ann@hillside.example", "turned \u202e round", FieldError),
    ],
)
async def test_what_is_not_accepted_stores_nothing(
    asking: Asking, email: str, reason: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await ask_customer(asking.context, asking.actor, asking.application_id, email=email, reason=reason)
    assert await list_requests_of(asking.context, asking.application_id) == ()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Pay at https://evil.example/a?b=c now", "Pay at now"),
        ("See www.evil.example or (evil.example/x)", "See or"),
        ("Write to bob@evil.example.", "Write to"),
        ("HTTP://EVIL and javascript://x", "and"),
        ("one\r\n\ttwo  three", "one two three"),
        ("3.5 t, i.e. two machines", "3.5 t, i.e. two machines"),
        ("<b>bold</b> & \u00fcber", "<b>bold</b> & \u00fcber"),
    ],
)
def test_links_are_taken_out_of_the_askers_words(typed: str, kept: str) -> None:
    """R-61, R-63"""
    assert check_asking(typed) == kept


async def test_an_application_asks_an_address_once_at_a_time(asking: Asking) -> None:
    """Two who ask at once make one request. Once it is over, another may follow."""
    outcomes = await asyncio.gather(asking.ask(), asking.ask(), return_exceptions=True)
    assert [type(each) for each in outcomes if isinstance(each, Exception)] == [AccessRequestError]
    [first] = await list_requests_of(asking.context, asking.application_id)
    await withdraw_request(asking.context, asking.actor, asking.application_id, first.id)
    await asking.ask()


async def test_an_application_asks_a_few_customers_a_day(asking: Asking) -> None:
    """Exact, however many ask at once."""
    asked = [asking.ask(f"a{number}@hillside.example") for number in range(MOST_A_DAY + 3)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, AccessRequestError)]
    assert [each.code for each in refused] == ["too_many_requests"] * 3
    assert len(await list_requests_of(asking.context, asking.application_id)) == MOST_A_DAY


async def test_an_application_in_test_mode_asks_no_real_customer(asking: Asking) -> None:
    await asking.context.database.count(
        "UPDATE application SET live_at = NULL WHERE id = $1", asking.application_id
    )
    with pytest.raises(AccessRequestError, match="test mode"):
        await asking.ask()


async def test_nobody_asks_or_withdraws_for_somebody_elses_application(asking: Asking) -> None:
    other = Actor("application owner", (await add_owner(asking.context)).id)
    request_id = await asking.ask()
    for attempt in (
        ask_customer(asking.context, other, asking.application_id, email="b@x.example", reason=WHY),
        withdraw_request(asking.context, other, asking.application_id, request_id),
        resend_pick_up(asking.context, other, asking.application_id, request_id),
    ):
        with pytest.raises(OwnerError):
            await attempt
    for stranger in (asking.world.member.actor, Actor("application", asking.application_id), SERVICE):
        with pytest.raises(OwnerError):
            await withdraw_request(asking.context, stranger, asking.application_id, request_id)
    theirs = await Asking.make(asking.context)
    with pytest.raises(AccessRequestError, match="no such request"):
        await withdraw_request(asking.context, theirs.actor, theirs.application_id, request_id)


async def test_an_operator_enters_a_request_only_where_somebody_can_pick_up(asking: Asking) -> None:
    request_id = await ask_customer(
        asking.context, asking.reviewer, asking.application_id, email="b@x.example", reason=WHY
    )
    assert (await asking.stands(request_id)).asker is None
    with pytest.raises(AccessRequestError, match="no owner"):
        await ask_customer(
            asking.context,
            asking.reviewer,
            asking.world.registered.client.id,
            email="b@x.example",
            reason=WHY,
        )


async def test_who_only_looks_releases_nothing(asking: Asking) -> None:
    request_id, support = await asking.ask(), await add_reviewer(asking.context, "support")
    for actor in (support, asking.actor, asking.world.member.actor, COMMAND_LINE, Actor("operator")):
        for judge in (release_request, refuse_request):
            with pytest.raises(OperatorError, match=r"reviewer|operator"):
                await judge(asking.context, actor, request_id, reason="Known company")
    with pytest.raises(OperatorError):
        await ask_customer(asking.context, support, asking.application_id, email="b@x.example", reason=WHY)
    assert (await asking.stands(request_id)).state == "asked"


async def test_nobody_lets_the_own_request_through(asking: Asking) -> None:
    """An operator who owns the application too leaves it to another."""
    request_id = await asking.ask()
    assert asking.reviewer.id is not None
    await insert_application_owner(asking.context.database, asking.application_id, asking.reviewer.id)
    with pytest.raises(OperatorError, match="another reviewer"):
        await release_request(asking.context, asking.reviewer, request_id, reason="Known company")
    assert (await asking.stands(request_id)).state == "asked"


async def test_of_two_operators_one_decides(asking: Asking) -> None:
    request_id, other = await asking.ask(), await add_reviewer(asking.context)
    outcomes = await asyncio.gather(
        release_request(asking.context, asking.reviewer, request_id, reason="Known company"),
        refuse_request(asking.context, other, request_id, reason="No contract"),
        return_exceptions=True,
    )
    assert [type(each) for each in outcomes if each] == [AccessRequestError]
    assert len(await asking.events()) == 2
    with pytest.raises(FieldError):
        await release_request(asking.context, other, request_id, reason="  ")


async def test_a_refused_request_reaches_nobody(asking: Asking) -> None:
    request_id, member = await asking.ask(), asking.world.member
    await refuse_request(asking.context, asking.reviewer, request_id, reason="No contract")
    assert await asking.mails("access_asked", member.email) == 0
    assert await asking.mails("request_ended") == 1
    with pytest.raises(AccessRequestError) as refused:
        await find_waiting_request(asking.context, member, request_id)
    assert refused.value.status == 404
    assert request_id in {each.id for each in await list_requests(asking.context, "refused")}


async def test_owners_and_connectors_hear_of_it_and_viewers_only_look(asking: Asking) -> None:
    world = asking.world
    connector, viewer = await join(world, "connector"), await join(world, "viewer")
    request_id = await asking.release()
    assert await asking.mails("access_asked", connector.email) == 1
    assert await asking.mails("access_asked", viewer.email) == 0
    assert (await find_waiting_request(asking.context, viewer, request_id)).id == request_id
    with pytest.raises(RoleError):
        await approve_request(asking.context, viewer.actor, viewer, request_id, Terms())
    with pytest.raises(RoleError):
        await deny_request(asking.context, viewer.actor, viewer, request_id)
    assert (await asking.stands(request_id)).state == "released"


async def test_another_account_finds_nothing(asking: Asking) -> None:
    request_id, stranger = await asking.release(), (await World.make(asking.context)).member
    attempts: list[Callable[[], Awaitable[Any]]] = [
        lambda: find_waiting_request(asking.context, stranger, request_id),
        lambda: approve_request(asking.context, stranger.actor, stranger, request_id, Terms()),
        lambda: deny_request(asking.context, stranger.actor, stranger, request_id),
    ]
    for attempt in attempts:
        with pytest.raises(AccessRequestError) as refused:
            await attempt()
        assert refused.value.status == 404
    assert (await asking.stands(request_id)).state == "released"


async def test_of_two_members_one_decides(asking: Asking) -> None:
    other, member = await join(asking.world, "owner"), asking.world.member
    request_id = await asking.release()
    outcomes = await asyncio.gather(
        approve_request(asking.context, member.actor, member, request_id, Terms()),
        deny_request(asking.context, other.actor, other, request_id),
        return_exceptions=True,
    )
    [lost] = [each for each in outcomes if isinstance(each, Exception)]
    assert isinstance(lost, AccessRequestError)
    assert lost.status == 410
    state = (await asking.stands(request_id)).state
    connected = await select_connected_customers(asking.context.database, asking.application_id, 10)
    assert (state == "approved") == bool(connected)


async def test_of_two_pick_ups_one_gets_the_token(asking: Asking) -> None:
    request_id = await asking.approve()
    links = [await asking.link(request_id) for _ in range(2)]
    outcomes = await asyncio.gather(
        *(collect_token(asking.context, asking.actor, link) for link in links), return_exceptions=True
    )
    [lost] = [each for each in outcomes if isinstance(each, Exception)]
    assert isinstance(lost, LinkError)
    assert (lost.code, await asking.made()) == ("link_used", 1)
    with pytest.raises(LinkError, match="shown once"):
        await find_pick_up(asking.context, links[0])


async def test_only_an_owner_picks_up(asking: Asking) -> None:
    """Whoever was removed meanwhile, an operator, the customer: nobody else."""
    request_id = await asking.approve()
    link = await asking.link(request_id)
    stranger = Actor("application owner", (await add_owner(asking.context)).id)
    for actor in (stranger, asking.reviewer, asking.world.member.actor, COMMAND_LINE):
        with pytest.raises(OwnerError):
            await collect_token(asking.context, actor, link)
    await asking.context.database.count(
        "DELETE FROM application_owner WHERE application_id = $1", asking.application_id
    )
    with pytest.raises(OwnerError):
        await collect_token(asking.context, asking.actor, link)
    assert await asking.made() == 0
    for wrong in ("", "x", "x" * 43, "x" * 1000):
        with pytest.raises(LinkError):
            await find_pick_up(asking.context, wrong)


@pytest.mark.parametrize("party", ["application", "deleted", "customer", "connection"])
async def test_what_ended_between_the_yes_and_the_pick_up_makes_no_token(asking: Asking, party: str) -> None:
    request_id, member, context = await asking.approve(), asking.world.member, asking.context
    link = await asking.link(request_id)
    if party == "customer":
        await disable_customer(context, COMMAND_LINE, member.email)
    elif party == "connection":
        await disconnect_application(context, member.actor, member.customer_id, asking.application_id)
    else:
        client_id = asking.registered.client.client_id
        await change_status(context, COMMAND_LINE, client_id, "delete" if party == "deleted" else "suspend")
    with pytest.raises(AccessRequestError, match="No token was made"):
        await collect_token(context, asking.actor, link)
    assert await asking.made() == 0
    assert (await asking.stands(request_id)).state == "approved"


async def test_a_later_consent_revives_no_older_yes(asking: Asking) -> None:
    """The customer disconnected after the yes, and connected anew by the consent page: that is another approval."""
    request_id, member, context = await asking.approve(), asking.world.member, asking.context
    await disconnect_application(context, member.actor, member.customer_id, asking.application_id)
    await context.database.count(
        "UPDATE connection SET approved_at = clock_timestamp(), version = version + 1 WHERE application_id = $1",
        asking.application_id,
    )
    with pytest.raises(AccessRequestError):
        await collect_token(context, asking.actor, await asking.link(request_id))
    assert await asking.made() == 0


@pytest.mark.parametrize("change", ["suspend", "delete"])
async def test_an_application_that_was_stopped_meets_nobody(asking: Asking, change: Any) -> None:
    """Neither is a request let through, nor one answered that was."""
    member, other = asking.world.member, await join(asking.world, "owner")
    asked, released = await asking.ask(), await asking.release(other.email)
    await change_status(asking.context, COMMAND_LINE, asking.registered.client.client_id, change)
    with pytest.raises(AccessRequestError, match="suspended or deleted"):
        await release_request(asking.context, asking.reviewer, asked, reason="Known company")
    with pytest.raises(AccessRequestError, match="suspended or deleted"):
        await approve_request(asking.context, member.actor, member, released, Terms())
    assert (await asking.stands(released)).state == "released"
    assert not await select_connected_customers(asking.context.database, asking.application_id, 10)


async def test_what_was_withdrawn_can_be_answered_no_more(asking: Asking) -> None:
    request_id, member = await asking.release(), asking.world.member
    await withdraw_request(asking.context, asking.actor, asking.application_id, request_id)
    with pytest.raises(AccessRequestError, match="took it back"):
        await approve_request(asking.context, member.actor, member, request_id, Terms())
    with pytest.raises(AccessRequestError, match="over already"):
        await withdraw_request(asking.context, asking.actor, asking.application_id, request_id)


async def test_an_owner_has_the_link_mailed_again(asking: Asking) -> None:
    request_id = await asking.approve()
    await resend_pick_up(asking.context, asking.actor, asking.application_id, request_id)
    assert await asking.mails("token_waits") == 2
    other = await asking.ask("b@x.example")
    with pytest.raises(AccessRequestError, match="No token waits"):
        await resend_pick_up(asking.context, asking.actor, asking.application_id, other)
