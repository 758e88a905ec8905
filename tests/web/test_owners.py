"""Owners of an application together: invited, joined, removed, and never none."""

import asyncio
import re
from uuid import UUID, uuid4

import httpx2
import pytest

from app.context import Context
from app.flows.account.rights import OwnerError
from app.flows.developer.own_people import list_owners, remove_owner
from app.flows.mail.links import mint_sign_up_secret
from app.oauth.actor import Actor
from app.oauth.token_string import new_id
from app.storage.people.application_owners import insert_application_owner
from tests.support.browser import Browser, query_of
from tests.support.owners import register_own, sign_up
from tests.support.people import PASSWORD, World
from tests.web.reading import found, words_of
from tests.web.test_own_applications import client_id_of

URI = "https://sitewise.example/callback"


def people(client_id: str) -> str:
    return f"/app/developer/{client_id}/people"


async def invited(context: Context, owner: Browser, client_id: str, email: str) -> str:
    """Invite an address, and return where its mail leads."""
    page = await owner.get(people(client_id))
    done = await owner.submit(page, {"email": email}, action="/invite")
    assert done.status_code == 303, done.text
    row = await context.database.row(
        "SELECT id FROM sign_up WHERE email = $1 AND application_id = $2::uuid", email, client_id
    )
    assert row is not None
    return f"/app/register/{await mint_sign_up_secret(context, row['id'])}"


async def names(context: Context, client_id: str) -> set[str]:
    return {each.email for each in (await list_owners(context, UUID(client_id))).owners}


async def test_somebody_new_joins_by_the_link(context: Context, owner: Browser, stranger: Browser) -> None:
    client_id = client_id_of(await register_own(owner))
    email = f"lee.{uuid4().hex[:12]}@sitewise.example"
    link = await invited(context, owner, client_id, email)
    page = await stranger.get(link)
    assert "Own Sitewise together" in words_of(page)
    joined = await stranger.submit(page, {"password": PASSWORD, "name": "Lee"}, action="/app/register")
    assert joined.status_code == 303, joined.text
    assert (await stranger.get(f"/app/developer/{client_id}")).status_code == 200
    assert email in await names(context, client_id)
    assert (await stranger.get(link)).status_code == 410


async def test_somebody_known_signs_in_and_accepts(
    context: Context, owner: Browser, stranger: Browser, world: World
) -> None:
    """A member of a customer account stays one."""
    client_id = client_id_of(await register_own(owner))
    link = await invited(context, owner, client_id, world.member.email)
    page = await stranger.get(link)
    [sign_in] = found(page, "//a[normalize-space()='Sign in']/@href")
    signed_in = await stranger.sign_in(await stranger.get(sign_in), world.member.email, PASSWORD)
    accepted = await stranger.submit(signed_in, {}, action="/app/register")
    assert accepted.headers["location"] == f"/app/developer/{client_id}"
    assert world.member.email in await names(context, client_id)
    assert (await stranger.get("/app/account/machines")).status_code == 200


async def test_an_invitation_of_somebody_else_changes_nothing(
    context: Context, owner: Browser, stranger: Browser
) -> None:
    client_id = client_id_of(await register_own(owner))
    link = await invited(context, owner, client_id, f"lee.{uuid4().hex[:12]}@sitewise.example")
    elsewhere = await sign_up(context, stranger)
    page = await stranger.get(link)
    assert "went to" in words_of(page)
    hidden = (await stranger.get(people(client_id_of(await register_own(stranger))))).text
    form = re.findall(r'name="form" value="([^"]+)"', hidden)[0]
    assert (await stranger.http.post(link, data={"form": form})).status_code == 400
    assert elsewhere not in await names(context, client_id)


async def test_a_withdrawn_invitation_opens_nothing(
    context: Context, owner: Browser, stranger: Browser
) -> None:
    client_id = client_id_of(await register_own(owner))
    link = await invited(context, owner, client_id, f"lee.{uuid4().hex[:12]}@sitewise.example")
    assert (await owner.submit(await owner.get(people(client_id)), {}, action="/withdraw")).status_code == 303
    page = await stranger.get(link)
    assert page.status_code == 410
    assert "withdrawn" in words_of(page)


async def test_one_address_is_invited_once(context: Context, owner: Browser) -> None:
    client_id = client_id_of(await register_own(owner))
    email = f"lee.{uuid4().hex[:12]}@sitewise.example"
    await invited(context, owner, client_id, email)
    again = await owner.submit(await owner.get(people(client_id)), {"email": email}, action="/invite")
    assert again.status_code == 409
    assert found(again, "//input[@id='invite-email']/@value") == [email]


async def connected_token(owner: Browser, registered: httpx2.Response) -> tuple[str, dict[str, str]]:
    client_id, [secret] = client_id_of(registered), set(re.findall(r"rovi_cs_\w+", registered.text))
    consent = await owner.get(f"/app/oauth2/authorize?client_id={client_id}&redirect_uri={URI}")
    code = query_of(await owner.submit(consent, {"decision": "approve"}, action="/consent"))["code"]
    form = {"client_id": client_id, "client_secret": secret}
    answer = await owner.http.post("/app/oauth2/token", data={**form, "code": code})
    return answer.json()["access_token"], form


async def test_whoever_leaves_takes_the_test_customer_along(
    context: Context, owner: Browser, stranger: Browser
) -> None:
    """Their token ends within a second, and nobody else's does."""
    registered = await register_own(owner, addresses=URI)
    client_id = client_id_of(registered)
    email = f"lee.{uuid4().hex[:12]}@sitewise.example"
    page = await stranger.get(await invited(context, owner, client_id, email))
    await stranger.submit(page, {"password": PASSWORD}, action="/app/register")
    token, form = await connected_token(owner, registered)
    own = [each for each in (await list_owners(context, UUID(client_id))).owners if each.email != email]
    await remove_owner(
        context, Actor("application owner", own[0].person_id), UUID(client_id), own[0].person_id
    )
    answer = await owner.http.post("/app/oauth2/introspect", data={**form, "token": token})
    assert answer.json() == {"active": False}
    assert (await owner.get(f"/app/developer/{client_id}")).status_code == 404
    assert (await stranger.get(f"/app/developer/{client_id}")).status_code == 200


async def test_of_two_owners_who_leave_at_once_one_stays(
    context: Context, owner: Browser, world: World
) -> None:
    """The lock of the application lets one go."""
    client_id = UUID(client_id_of(await register_own(owner)))
    await insert_application_owner(context.database, client_id, world.member.id)
    both = (await list_owners(context, client_id)).owners
    left = await asyncio.gather(
        *(
            remove_owner(context, Actor("application owner", each.person_id), client_id, each.person_id)
            for each in both
        ),
        return_exceptions=True,
    )
    assert sorted(isinstance(each, OwnerError) for each in left) == [False, True]
    assert len((await list_owners(context, client_id)).owners) == 1


async def test_the_last_owner_cannot_be_erased(owner: Browser) -> None:
    await register_own(owner)
    page = await owner.get("/app/account/profile")
    answer = await owner.submit(page, {"password": PASSWORD}, action="/profile/leave")
    assert answer.status_code == 409
    assert "only owner of applications" in words_of(answer)


async def test_whoever_is_no_owner_any_more_changes_nothing(context: Context, owner: Browser) -> None:
    """A form that was open before: judged in the transaction that writes."""
    client_id = UUID(client_id_of(await register_own(owner)))
    with pytest.raises(OwnerError):
        await remove_owner(context, Actor("application owner", new_id()), client_id, new_id())
