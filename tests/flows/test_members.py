"""The people of an account: each verb under the role as it stands, one event for each, and two of them at once."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from app.context import Context
from app.flows.account.accept_invitation import accept_as, accept_as_new
from app.flows.account.add_customer import PersonError
from app.flows.account.change_customer import RenamedError, find_account, rename_customer, set_password
from app.flows.account.change_member import (
    MemberError,
    change_role,
    leave_account,
    list_members,
    remove_member,
    transfer_ownership,
)
from app.flows.account.check_guess import Visitor
from app.flows.account.invite import (
    InvitationError,
    invite,
    list_invitations,
    resend_invitation,
    withdraw_invitation,
)
from app.flows.account.prove import FieldError, IdentityProof
from app.flows.account.rights import RoleError
from app.flows.approval.connections import disconnect_application
from app.flows.mail.links import LinkError, mint_invitation_secret
from app.oauth.actor import COMMAND_LINE, Actor
from app.oauth.member_role import MemberRole
from app.storage.people.members import Member
from app.storage.people.people import select_person, select_person_by_id
from app.throttling.mails import MailLimits
from tests.support.people import PASSWORD, World, join, session_of

NOWHERE = Visitor("", "")
NEW = f"brand.new.{uuid4().hex[:8]}@elsewhere.example"


async def roles(world: World) -> dict[str, MemberRole]:
    listed = await list_members(world.context, world.member.customer_id)
    return {each.email: each.role for each in listed}


TRAIL = """\
SELECT event, actor_id, detail
FROM audit_event WHERE customer_id = $1 AND event LIKE $2 || '%' ORDER BY id"""


async def trail(world: World, beginning: str) -> list[tuple[str, UUID | None, dict[str, Any]]]:
    """The customer's events whose names begin so, the oldest first: the name, who acted, and the detail."""
    rows = await world.context.database.rows(TRAIL, world.member.customer_id, beginning)
    return [(row["event"], row["actor_id"], orjson.loads(row["detail"])) for row in rows]


async def outcomes(*verbs: Awaitable[Any]) -> list[str]:
    """How each of several verbs at once ended: done, or the code of its refusal."""
    ended = await asyncio.gather(*verbs, return_exceptions=True)
    for each in ended:
        if isinstance(each, BaseException):
            assert isinstance(each, (MemberError, RoleError, InvitationError, LinkError)), each
    return sorted(getattr(each, "code", "done") if isinstance(each, Exception) else "done" for each in ended)


async def invited(world: World, email: str, role: MemberRole = "viewer") -> tuple[UUID, str]:
    """The id of an invitation, and the secret of its link."""
    made = await invite(world.context, world.member.actor, world.member.customer_id, email=email, role=role)
    return made.id, await mint_invitation_secret(world.context, made.id)


# Roles hold


@pytest.mark.parametrize("role", ["connector", "viewer"])
async def test_only_owners_change_people_and_the_name(world: World, role: MemberRole) -> None:
    member, other = await join(world, role), await join(world, "viewer")
    context, actor, account = world.context, member.actor, world.member.customer_id
    invitation_id, _ = await invited(world, "carla@elsewhere.example")
    before = await roles(world)
    for verb in (
        change_role(context, actor, account, other.id, "owner", before="viewer"),
        change_role(context, actor, account, member.id, "owner", before=role),
        remove_member(context, actor, account, world.member.id, before="owner"),
        invite(context, actor, account, email=NEW, role="owner"),
        resend_invitation(context, actor, account, invitation_id),
        withdraw_invitation(context, actor, account, invitation_id),
        rename_customer(context, actor, account, "Mine", before=world.member.customer_name),
        transfer_ownership(context, actor, member, NOWHERE, IdentityProof(PASSWORD), to=other.id),
    ):
        with pytest.raises(RoleError) as refused:
            await verb
        assert (refused.value.code, refused.value.status) == ("role_lacking", 403)
    assert await roles(world) == before
    assert [each.email for each in await list_invitations(context, account)] == ["carla@elsewhere.example"]


async def test_an_owner_of_one_account_is_nobody_in_another(world: World, context: Context) -> None:
    stranger = (await World.make(context)).member
    account = world.member.customer_id
    with pytest.raises(RoleError):
        await remove_member(context, stranger.actor, account, world.member.id, before="owner")
    with pytest.raises(RoleError):
        await disconnect_application(context, stranger.actor, account, world.registered.client.id)
    with pytest.raises(MemberError):  # the person is of another account
        await change_role(
            context, stranger.actor, stranger.customer_id, world.member.id, "viewer", before="owner"
        )
    assert await roles(world) == {world.member.email: "owner"}


async def test_a_viewer_disconnects_nothing(world: World) -> None:
    viewer, connector = await join(world, "viewer"), await join(world, "connector")
    account, application_id = world.member.customer_id, world.registered.client.id
    with pytest.raises(RoleError):
        await disconnect_application(world.context, viewer.actor, account, application_id)
    assert await trail(world, "application.") == []
    await disconnect_application(world.context, connector.actor, account, application_id)
    assert [event for event, _, _ in await trail(world, "application.")] == ["application.disconnected"]


async def test_a_role_that_is_being_taken_away_is_waited_for_and_not_used(world: World) -> None:
    """The verb is under way while the change is not committed yet: it judges by what comes of it."""
    connector = await join(world, "connector")
    context, account = world.context, world.member.customer_id
    async with context.database.transaction() as transaction:
        await transaction.count(
            "UPDATE customer_member SET role = 'viewer' WHERE person_id = $1", connector.id
        )
        cutting = asyncio.create_task(
            disconnect_application(context, connector.actor, account, world.registered.client.id)
        )
        await asyncio.sleep(0.2)
        assert not cutting.done()
    with pytest.raises(RoleError):
        await cutting


async def test_an_operator_acts_from_outside(world: World) -> None:
    application_id = world.registered.client.id
    operator = Actor("operator", UUID(int=7))
    await disconnect_application(world.context, operator, world.member.customer_id, application_id)
    acted = [(event, actor) for event, actor, _ in await trail(world, "application.")]
    assert acted == [("application.disconnected", operator.id)]


# Each verb


async def test_a_role_is_changed_and_the_trail_has_before_and_after(world: World) -> None:
    bo = await join(world, "viewer")
    account, actor = world.member.customer_id, world.member.actor
    await change_role(world.context, actor, account, bo.id, "connector", before="viewer")
    await change_role(world.context, actor, account, bo.id, "connector", before="connector")
    assert (await roles(world))[bo.email] == "connector"
    assert await trail(world, "member.role_changed") == [
        (
            "member.role_changed",
            world.member.id,
            {"person": str(bo.id), "before": "viewer", "after": "connector"},
        )
    ]


async def test_a_removed_member_is_signed_out_and_the_person_stays(world: World) -> None:
    """R-56"""
    bo = await join(world, "connector")
    await session_of(world.context, email=bo.email, password=PASSWORD)
    ended = await remove_member(
        world.context, world.member.actor, world.member.customer_id, bo.id, before="connector"
    )
    assert ended == 2, "the one of accepting, and the one after"
    assert bo.email not in await roles(world)
    assert (await select_person_by_id(world.context.database, bo.id)).customer_id is None
    assert await trail(world, "member.removed") == [
        ("member.removed", world.member.id, {"person": str(bo.id), "before": "connector", "after": None})
    ]
    assert await session_of(world.context, email=bo.email, password=PASSWORD), "the person still signs in"


async def test_a_member_leaves_and_may_be_invited_again(world: World) -> None:
    bo = await join(world, "viewer")
    await leave_account(world.context, bo.actor, bo)
    assert bo.email not in await roles(world)
    person = await select_person_by_id(world.context.database, bo.id)
    _, secret = await invited(world, bo.email, "connector")
    await accept_as(world.context, person, secret)
    assert (await roles(world))[bo.email] == "connector"
    events = [
        (event, detail["before"], detail["after"]) for event, _, detail in await trail(world, "member.")
    ]
    assert ("member.left", "viewer", None) in events
    assert events[-1] == ("member.joined", None, "connector")


async def test_the_last_owner_stays_owner(world: World) -> None:
    bo = await join(world, "connector")
    ann, account = world.member, world.member.customer_id
    for verb in (
        change_role(world.context, ann.actor, account, ann.id, "viewer", before="owner"),
        remove_member(world.context, ann.actor, account, ann.id, before="owner"),
        remove_member(world.context, COMMAND_LINE, account, ann.id, before="owner"),
        leave_account(world.context, ann.actor, ann),
    ):
        with pytest.raises(MemberError, match="at least one owner") as refused:
            await verb
        assert (refused.value.code, refused.value.status) == ("last_owner", 409)
    await change_role(world.context, ann.actor, account, bo.id, "owner", before="connector")
    await leave_account(world.context, ann.actor, ann)
    assert await roles(world) == {bo.email: "owner"}


async def test_ownership_goes_to_another_in_one_act(world: World) -> None:
    bo, ann = await join(world, "viewer"), world.member
    with pytest.raises(FieldError, match="not your present password"):
        await transfer_ownership(world.context, ann.actor, ann, NOWHERE, IdentityProof("no"), to=bo.id)
    assert await roles(world) == {ann.email: "owner", bo.email: "viewer"}
    await transfer_ownership(world.context, ann.actor, ann, NOWHERE, IdentityProof(PASSWORD), to=bo.id)
    assert await roles(world) == {ann.email: "connector", bo.email: "owner"}
    assert await trail(world, "customer.ownership") == [
        (
            "customer.ownership_transferred",
            ann.id,
            {"person": str(bo.id), "before": str(ann.id), "after": str(bo.id)},
        )
    ]


async def test_ownership_goes_to_nobody_outside(world: World, context: Context) -> None:
    ann, stranger = world.member, (await World.make(context)).member
    for to in (stranger.id, UUID(int=1), ann.id):
        with pytest.raises(MemberError):
            await transfer_ownership(context, ann.actor, ann, NOWHERE, IdentityProof(PASSWORD), to=to)
    assert await roles(world) == {ann.email: "owner"}


async def test_an_account_is_renamed(world: World) -> None:
    ann, before = world.member, world.member.customer_name
    await rename_customer(world.context, ann.actor, ann.customer_id, " Hillside Rentals ", before=before)
    assert await find_account(world.context, ann.email) == (ann.customer_id, "Hillside Rentals")
    assert await find_account(world.context, str(ann.customer_id)) == (ann.customer_id, "Hillside Rentals")
    with pytest.raises(RenamedError, match="meanwhile"):
        await rename_customer(world.context, ann.actor, ann.customer_id, "Other", before=before)
    with pytest.raises(PersonError):
        await rename_customer(world.context, ann.actor, ann.customer_id, "a\nb", before="Hillside Rentals")
    assert await trail(world, "customer.renamed") == [("customer.renamed", ann.id, {})]


@pytest.mark.parametrize(("role", "cut"), [("viewer", "none"), ("connector", "all")])
async def test_a_new_password_cuts_only_what_the_person_may_cut(
    world: World, role: MemberRole, cut: str
) -> None:
    """The offer to disconnect everything with a mailed link is no way around the role."""
    bo = await join(world, role)
    # as the page does it: the person acts
    await _set_own_password(world.context, bo)
    events = [detail["applications_cut"] for _, _, detail in await trail(world, "person.password_set")]
    assert events == [cut]
    await set_password(world.context, COMMAND_LINE, bo.email, "yet another one", cut_applications=True)
    assert (await trail(world, "person.password_set"))[-1][2]["applications_cut"] == "all"


async def _set_own_password(context: Context, member: Member) -> None:
    await set_password(context, member.actor, member.email, "another battery", cut_applications=True)


# Invitations


async def test_an_invitation_is_made_once_and_names_nobody_in_the_trail(world: World) -> None:
    invitation_id, _ = await invited(world, f" {NEW.upper()} ")
    [listed] = await list_invitations(world.context, world.member.customer_id)
    assert (listed.email, listed.role, listed.invited_by) == (NEW, "viewer", world.member.name)
    with pytest.raises(InvitationError, match="invited already"):
        await invited(world, NEW)
    with pytest.raises(InvitationError, match="belongs to the account already"):
        await invited(world, world.member.email)
    with pytest.raises(PersonError):
        await invited(world, "no address")
    assert await trail(world, "member.") == [
        (
            "member.invited",
            world.member.id,
            {"invitation": str(invitation_id), "before": None, "after": "viewer"},
        )
    ]


async def test_somebody_new_sets_name_and_password_and_is_signed_in(world: World) -> None:
    """The address is confirmed by the link."""
    invitation_id, secret = await invited(world, NEW, "connector")
    for name, password in (("", PASSWORD), ("a\nb", PASSWORD), ("Bo", "short"), ("Bo", "elsewhere2026")):
        with pytest.raises(PersonError):
            await accept_as_new(world.context, secret, NOWHERE, name=name, password=password)
    signed_in = await accept_as_new(world.context, secret, NOWHERE, name="Bo Berg", password=PASSWORD)
    assert signed_in.session
    person = await select_person(world.context.database, NEW)
    assert person is not None
    assert (person.name, person.role, person.customer_id) == (
        "Bo Berg",
        "connector",
        world.member.customer_id,
    )
    confirmed = "SELECT email_confirmed_at IS NOT NULL AS confirmed FROM person WHERE id = $1"
    for each, expected in ((person.id, True), (world.member.id, False)):
        row = await world.context.database.row(confirmed, each)
        assert row is not None
        assert row["confirmed"] is expected
    assert (await trail(world, "member.joined"))[0][1:] == (
        person.id,
        {"person": str(person.id), "invitation": str(invitation_id), "before": None, "after": "connector"},
    )


async def test_somebody_of_another_account_joins_nothing(world: World, context: Context) -> None:
    other = (await World.make(context)).member
    _, secret = await invited(world, other.email)
    with pytest.raises(InvitationError) as refused:
        await accept_as(context, other, secret)
    assert refused.value.code == "belongs_elsewhere"
    assert other.email not in await roles(world)
    assert len(await list_invitations(context, world.member.customer_id)) == 1, "it still waits"


async def test_nobody_accepts_for_somebody_else(world: World, context: Context) -> None:
    other = (await World.make(context)).member
    _, secret = await invited(world, "carla.c@elsewhere.example")
    with pytest.raises(InvitationError) as refused:
        await accept_as(context, other, secret)
    assert (refused.value.code, refused.value.status) == ("wrong_person", 403)


async def test_a_withdrawn_invitation_opens_nothing(world: World) -> None:
    invitation_id, secret = await invited(world, "dora@elsewhere.example")
    await withdraw_invitation(world.context, world.member.actor, world.member.customer_id, invitation_id)
    with pytest.raises(LinkError) as refused:
        await accept_as_new(world.context, secret, NOWHERE, name="Dora", password=PASSWORD)
    assert refused.value.code == "invitation_withdrawn"
    with pytest.raises(InvitationError):
        await withdraw_invitation(world.context, world.member.actor, world.member.customer_id, invitation_id)
    await invited(world, "dora@elsewhere.example")  # another one may follow


async def test_invitations_are_limited_by_account_and_by_recipient(world: World, context: Context) -> None:
    """Nobody is bombed through us, and what goes over a limit leaves nothing behind."""
    policy = context.policy
    few = MailLimits(per_recipient=2, per_sender=3, in_all=1_000_000)
    limited = replace(context, policy=replace(policy, mail_limits=few))
    account, actor = world.member.customer_id, world.member.actor
    for number in range(3):
        await invite(limited, actor, account, email=f"e{number}.{account}@elsewhere.example", role="viewer")
    with pytest.raises(InvitationError) as refused:
        await invite(limited, actor, account, email=f"e4.{account}@elsewhere.example", role="viewer")
    assert (refused.value.code, refused.value.status) == ("too_many_mails", 429)
    assert len(await list_invitations(context, account)) == 3
    victim = f"victim.{account}@elsewhere.example"
    worlds = [await World.make(context) for _ in range(3)]
    ended = [
        await outcomes(
            invite(limited, each.member.actor, each.member.customer_id, email=victim, role="viewer")
        )
        for each in worlds
    ]
    assert ended == [["done"], ["done"], ["too_many_mails"]]


# Two at once


async def test_of_two_owners_who_demote_each_other_at_once_one_stays(world: World) -> None:
    for _ in range(5):
        bo, ann = await join(world, "owner"), world.member
        account = ann.customer_id
        ended = await outcomes(
            change_role(world.context, ann.actor, account, bo.id, "viewer", before="owner"),
            change_role(world.context, bo.actor, account, ann.id, "viewer", before="owner"),
        )
        assert ended == ["done", "role_lacking"], "the later one is no owner any more"
        now = await roles(world)
        assert sorted((now[ann.email], now[bo.email])) == ["owner", "viewer"]
        if now[ann.email] == "viewer":
            await change_role(world.context, bo.actor, account, ann.id, "owner", before="viewer")
            await change_role(world.context, ann.actor, account, bo.id, "viewer", before="owner")


async def test_of_two_owners_who_leave_at_once_one_stays(world: World) -> None:
    bo, ann = await join(world, "owner"), world.member
    ended = await outcomes(*(leave_account(world.context, each.actor, each) for each in (ann, bo)))
    assert ended == ["done", "last_owner"]
    assert list((await roles(world)).values()) == ["owner"]


async def test_the_later_of_two_changes_sees_the_first(world: World) -> None:
    """Nothing is half-written: one role, one event."""
    bo, ann = await join(world, "viewer"), world.member
    ended = await outcomes(
        change_role(world.context, ann.actor, ann.customer_id, bo.id, "connector", before="viewer"),
        change_role(world.context, ann.actor, ann.customer_id, bo.id, "owner", before="viewer"),
    )
    assert ended == ["changed_meanwhile", "done"]
    [(_, _, detail)] = await trail(world, "member.role_changed")
    assert (await roles(world))[bo.email] == detail["after"]


async def test_an_invitation_accepted_twice_at_once_makes_one_person(world: World) -> None:
    _, secret = await invited(world, f"twice.{world.member.id}@elsewhere.example")
    ended = await outcomes(
        *(
            accept_as_new(world.context, secret, NOWHERE, name=name, password=PASSWORD)
            for name in ("One", "Two", "Three")
        )
    )
    assert ended.count("done") == 1
    assert set(ended) <= {"done", "invitation_accepted", "invitation_conflict"}
    assert len(await trail(world, "member.joined")) == 1


async def test_an_invitation_accepted_by_a_person_twice_at_once_is_accepted_once(
    world: World, context: Context
) -> None:
    bo = await join(await World.make(context), "viewer")
    await leave_account(context, bo.actor, bo)
    _, secret = await invited(world, bo.email)
    person = await select_person_by_id(context.database, bo.id)
    assert await outcomes(*(accept_as(context, person, secret) for _ in range(4))) == [
        "done",
        *["invitation_accepted"] * 3,
    ]


@pytest.mark.parametrize("_again", range(5))
async def test_of_accepting_and_withdrawing_at_once_one_happens(world: World, _again: int) -> None:
    email = f"race.{world.member.id}@elsewhere.example"
    invitation_id, secret = await invited(world, email)
    account, actor = world.member.customer_id, world.member.actor
    ended = await outcomes(
        accept_as_new(world.context, secret, NOWHERE, name="Bo", password=PASSWORD),
        withdraw_invitation(world.context, actor, account, invitation_id),
    )
    joined = email in await roles(world)
    assert ended == (["changed_meanwhile", "done"] if joined else ["done", "invitation_withdrawn"])
    assert (await select_person(world.context.database, email) is not None) is joined


async def test_two_invitations_of_one_address_at_once_are_one(world: World) -> None:
    email = f"same.{world.member.id}@elsewhere.example"
    account, actor = world.member.customer_id, world.member.actor
    ended = await outcomes(
        *(invite(world.context, actor, account, email=email, role="viewer") for _ in range(4))
    )
    assert ended == ["done", *["invitation_conflict"] * 3]
    assert len(await list_invitations(world.context, account)) == 1
