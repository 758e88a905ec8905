"""Owners of an account hear by mail of every application that is connected, changed or disconnected."""

from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage

import pytest

from app.flows.account.add_operator import add_operator
from app.flows.account.change_member import change_role
from app.flows.account.choose_language import choose_own_language
from app.flows.approval.manual_grant import ManualRequest, issue_manually
from app.oauth.actor import COMMAND_LINE
from app.policy import Policy
from tests.mail.conftest import Post
from tests.mail.sink import arrived
from tests.mail.test_password import app_of
from tests.support.browser import Browser
from tests.support.fleets import fill
from tests.support.people import PASSWORD, World, join
from tests.support.sharing import CONNECTIONS, change, page_of, these


@pytest.fixture
async def visitor(post: Post, person: World) -> AsyncIterator[Browser]:
    await fill(post.context, person.member.customer_id, "PIN1", "PIN2")
    async with Browser(app_of(post)) as browser:
        yield browser


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().replace("\u2060", "").split())


async def test_owners_are_told_of_all_three_with_who_did_it_and_where_to_look(
    post: Post, person: World, visitor: Browser
) -> None:
    owner, viewer = await join(person, "owner", name="Bo Berg"), await join(person, "viewer", name="Cy")
    await arrived(post)
    await choose_own_language(post.context, owner.actor, owner, "es")
    await person.token(visitor)
    await change(visitor, person, await these(person, "PIN2"))
    await visitor.submit(await visitor.get(page_of(person)), {}, action="/disconnect")
    messages = await arrived(post)
    assert {each["To"] for each in messages} == {person.member.email, owner.email}
    assert viewer.email not in {each["To"] for each in messages}
    issuer = post.context.policy.issuer
    told = [(each["Subject"], text_of(each)) for each in messages if each["To"] == person.member.email]
    by, application = (
        f"\u2068{person.member.name}\u2069",
        "\u2068Sitewise\u2069 of \u2068Sitewise Rentals Ltd\u2069",
    )
    for (subject, text), (headed, said, address) in zip(
        told,
        [
            (
                "An application was connected",
                f"{by} connected the application {application}",
                page_of(person),
            ),
            ("What an application may read was changed", f"{by} changed what", page_of(person)),
            (
                "An application was disconnected",
                f"{by} disconnected the application {application}",
                CONNECTIONS,
            ),
        ],
        strict=True,
    ):
        assert subject == headed
        assert said in text
        assert f"{issuer}{address} " in text
    spanish = [each["Subject"] for each in messages if each["To"] == owner.email]
    assert spanish == [
        "Se conectó una aplicación",
        "Cambió lo que una aplicación puede leer",
        "Se desconectó una aplicación",
    ]


async def test_operator_who_connects_by_hand_is_told_as_rovitracker(post: Post, person: World) -> None:
    operator = await add_operator(
        post.context,
        COMMAND_LINE,
        email=f"olga.{person.member.id}@rovi.example",
        name="Olga",
        role="admin",
        password=PASSWORD,
    )
    asked = ManualRequest(person.client_id, person.member.email, "agreed on the phone")
    for _ in range(2):
        await issue_manually(post.context, operator.actor, asked)
    messages = [each for each in await arrived(post) if each["To"] == person.member.email]
    assert [each["Subject"] for each in messages] == ["An application was connected"]
    assert "RoviTracker connected the application" in text_of(messages[0])
    assert "as agreed with you" in text_of(messages[0])
    assert "Olga" not in text_of(messages[0])


async def test_whoever_is_no_owner_any_more_is_not_told(post: Post, person: World, visitor: Browser) -> None:
    """The words are written when it is sent: a former owner reads nothing of what the account does since."""
    owner = await join(person, "owner")
    await arrived(post)
    await person.token(visitor)
    await change_role(
        post.context, COMMAND_LINE, person.member.customer_id, owner.id, "viewer", before="owner"
    )
    about = [each["To"] for each in await arrived(post) if "connected" in each["Subject"]]
    assert about == [person.member.email]


async def test_flood_of_changes_is_capped_and_still_changes(
    post: Post, person: World, visitor: Browser
) -> None:
    """R-63: by the limit of one kind of mail at one address."""
    policy: Policy = post.context.policy
    few = replace(policy, mail_limits=replace(policy.mail_limits, per_recipient=3))
    visitor.http._transport.app.state.context = replace(post.context, policy=few)  # type: ignore[attr-defined]
    await person.token(visitor)
    for _ in range(3):
        for fields in (await these(person, "PIN1"), {"machines": "all"}):
            assert (await change(visitor, person, fields)).status_code == 303
    told = [each.template for each in await post.mails() if each.recipient == person.member.email]
    assert told.count("connection_changed") == 3
