"""An owner lets an application get tokens by itself for their own test customer, and for nobody else."""

import re
from uuid import UUID

import httpx2
import pytest

from app.context import Context
from app.flows.account.change_application import change_application, change_status
from app.flows.account.register_application import register_application
from app.flows.account.rights import OwnerError
from app.flows.developer.act_alone import connect_test_customer
from app.flows.developer.own_people import remove_owner
from app.oauth.actor import COMMAND_LINE, Actor
from app.storage.people.application_changes import ApplicationChanges
from app.storage.people.application_owners import insert_application_owner
from app.storage.people.people import Person, select_person
from tests.support.assertions import jwks_of, key_pair
from tests.support.browser import Browser, form_of
from tests.support.changing import as_owner
from tests.support.owners import register_own, sign_up
from tests.support.people import PASSWORD, World
from tests.web.reading import found, words_of
from tests.web.test_own_applications import client_id_of

BOTH = frozenset({"authorization_code", "client_credentials"})
FORM = "/test-customer"
BUTTON = "Connect my test customer"


async def let_act_alone(context: Context, client_id: str) -> None:
    """What RoviTracker does when somebody asks for the grant."""
    await change_application(context, COMMAND_LINE, client_id, ApplicationChanges(grants=BOTH))


async def ask(browser: Browser, registered: httpx2.Response, **more: str) -> httpx2.Response:
    secret = re.search(r"rovi_cs_\w+", registered.text)
    assert secret
    fields = {"client_id": client_id_of(registered), "client_secret": secret[0], **more}
    return await browser.http.post("/app/oauth2/token", data={"grant_type": "client_credentials", **fields})


async def quick(browser: Browser, registered: httpx2.Response) -> httpx2.Response:
    return await browser.get(f"/app/developer/{client_id_of(registered)}")


async def press(browser: Browser, page: httpx2.Response) -> httpx2.Response:
    return await browser.submit(page, {}, action=FORM)


CONNECTED = """\
SELECT actor_kind, actor_id, customer_id FROM audit_event
WHERE application_id = $1 AND event = 'application.test_customer_connected' ORDER BY id"""


async def events(context: Context, client_id: str) -> list[dict[str, object]]:
    """Who connected a test customer to the application, and which one, the oldest first."""
    rows = await context.database.rows(CONNECTED, UUID(client_id))
    return [dict(row) for row in rows]


async def serials(browser: Browser, token: str) -> list[str]:
    """The machines that a token reads."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    fleet = await browser.http.get("/api/v2/Fleet/1", headers=headers)
    assert fleet.status_code == 200, fleet.text
    return [each["EquipmentHeader"]["SerialNumber"] for each in fleet.json()["Equipment"]]


async def person_of(context: Context, email: str) -> Person:
    person = await select_person(context.database, email)
    assert person is not None
    return person


async def test_from_the_page_to_the_machines_of_the_test_customer(context: Context, owner: Browser) -> None:
    registered = await register_own(owner)
    client_id = client_id_of(registered)
    assert BUTTON not in (await quick(owner, registered)).text, (
        "without the grant there is nothing to connect"
    )
    await let_act_alone(context, client_id)
    refused = await ask(owner, registered)
    assert refused.json()["error"] == "unauthorized_client"
    assert "connect your test customer on its quick start page" in refused.json()["error_description"]
    page = await quick(owner, registered)
    assert "grant_type=client_credentials" not in page.text
    connected = await owner.follow(await press(owner, page))
    assert "Your test customer is connected." in words_of(connected)
    assert BUTTON not in connected.text
    assert f"-d grant_type=client_credentials \\\n  -d client_id={client_id} \\\n" in connected.text
    token = (await ask(owner, registered)).json()["access_token"]
    assert len(await serials(owner, token)) == 8
    secret = re.search(r"rovi_cs_\w+", registered.text)
    assert secret
    asked = {"client_id": client_id, "client_secret": secret[0], "token": token}
    introspected = (await owner.http.post("/app/oauth2/introspect", data=asked)).json()
    assert (introspected["active"], introspected["test"]) == (True, True)
    [event] = await events(context, client_id)
    assert event["actor_kind"] == "application owner"
    row = await context.database.row("SELECT tester_id FROM customer WHERE id = $1", event["customer_id"])
    assert row is not None
    assert row["tester_id"] == event["actor_id"]


async def test_pressed_twice_it_changes_nothing_more(context: Context, owner: Browser) -> None:
    registered = await register_own(owner)
    await let_act_alone(context, client_id_of(registered))
    page = await quick(owner, registered)
    assert (await press(owner, page)).headers["location"].endswith("?done=connected")
    again = await owner.follow(await press(owner, page))
    assert "was connected already" in words_of(again)
    assert len(await events(context, client_id_of(registered))) == 1


async def test_each_owner_connects_their_own_test_customer_alone(
    context: Context, owner: Browser, stranger: Browser
) -> None:
    """The last who says so has it; no owner reaches the test customer of another one."""
    registered = await register_own(owner)
    client_id = client_id_of(registered)
    await let_act_alone(context, client_id)
    await press(owner, await quick(owner, registered))
    first = await serials(owner, (await ask(owner, registered)).json()["access_token"])
    colleague = await person_of(context, await sign_up(context, stranger, name="Lee"))
    await insert_application_owner(context.database, UUID(client_id), colleague.id)
    page = await quick(stranger, registered)
    assert "the test customer of another owner" in words_of(page)
    await press(stranger, page)
    second = await serials(stranger, (await ask(stranger, registered)).json()["access_token"])
    assert not set(first) & set(second)
    assert "the test customer of another owner" in words_of(await quick(owner, registered))
    await remove_owner(context, Actor("application owner", colleague.id), UUID(client_id), colleague.id)
    assert (await ask(owner, registered)).json()["error"] == "unauthorized_client"
    await press(owner, await quick(owner, registered))
    token = (await ask(owner, registered)).json()["access_token"]
    assert await serials(owner, token) == first


async def test_only_the_page_of_an_owner_connects(
    context: Context, owner: Browser, stranger: Browser
) -> None:
    """Neither somebody else, nor a form of another application, nor a request without a form."""
    registered, other = await register_own(owner), await register_own(owner)
    client_id = client_id_of(registered)
    for each in (registered, other):
        await let_act_alone(context, client_id_of(each))
    form = form_of(await quick(owner, other), FORM)
    address = f"/app/developer/{client_id}{FORM}"
    assert (await owner.http.post(address, data=form.hidden)).status_code == 400
    assert (await owner.http.post(address, data={})).status_code == 400
    own = form_of(await quick(owner, registered), FORM)
    await sign_up(context, stranger)
    assert (await stranger.http.post(address, data=own.hidden)).status_code in (400, 404)
    assert await events(context, client_id) == []
    assert (await ask(owner, registered)).status_code == 400


@pytest.mark.parametrize("how", ["live", "suspended", "no grant"])
async def test_what_cannot_be_connected_stays_as_it_is(context: Context, owner: Browser, how: str) -> None:
    registered = await register_own(owner)
    client_id = client_id_of(registered)
    await let_act_alone(context, client_id)
    page = await quick(owner, registered)
    match how:
        case "live":
            going = "UPDATE application SET live_at = clock_timestamp() WHERE id = $1"
            await context.database.count(going, UUID(client_id))
        case "suspended":
            await change_status(context, COMMAND_LINE, client_id, "suspend")
        case _:
            changes = ApplicationChanges(grants=frozenset({"authorization_code"}))
            await change_application(context, COMMAND_LINE, client_id, changes)
    refused = await press(owner, page)
    assert refused.status_code == (409 if how == "suspended" else 403), refused.text
    [told] = found(refused, "//*[@role='alert']")
    assert told.text_content().strip()
    assert not found(refused, f"//button[normalize-space()='{BUTTON}']")
    assert await events(context, client_id) == []


async def test_disabled_test_customer_is_not_connected(
    context: Context, owner: Browser, database_url: str
) -> None:
    registered = await register_own(owner)
    await let_act_alone(context, client_id_of(registered))
    await as_owner(
        database_url,
        "UPDATE customer SET disabled_at = clock_timestamp() WHERE tester_id = "
        "(SELECT person_id FROM application_owner WHERE application_id = $1)",
        UUID(client_id_of(registered)),
    )
    refused = await press(owner, await quick(owner, registered))
    assert refused.status_code == 403
    assert "Your test customer was disabled" in words_of(refused)


async def test_application_with_keys_sees_the_line_with_its_assertion(
    context: Context, owner: Browser
) -> None:
    registered = await register_own(owner, kind="strict")
    client_id = client_id_of(registered)
    await let_act_alone(context, client_id)
    jwks = jwks_of(key_pair("EC"))
    await change_application(context, COMMAND_LINE, client_id, ApplicationChanges(), jwks=jwks)
    connected = await owner.follow(await press(owner, await quick(owner, registered)))
    assert "client_assertion=&#34;$CLIENT_ASSERTION&#34;" in connected.text
    assert "-d grant_type=client_credentials \\\n  -d client_assertion_type=" in connected.text


async def test_real_customer_is_never_what_an_owner_connects(
    context: Context, owner: Browser, world: World
) -> None:
    """An owner who belongs to a customer account acts for their test customer all the same, and only as themself."""
    person = await person_of(context, world.member.email)
    registered = await register_application(
        context,
        Actor("application owner", person.id),
        name="Robot",
        company="Hillside Plant Hire",
        grants=("client_credentials",),
        owner_id=person.id,
    )
    await owner.sign_in(await owner.get("/app/login"), world.member.email, PASSWORD)
    page = await owner.get(f"/app/developer/{registered.client.id}")
    assert (await press(owner, page)).status_code == 303
    [event] = await events(context, str(registered.client.id))
    assert event["customer_id"] != world.member.customer_id
    rows = await context.database.rows(
        "SELECT customer_id FROM connection WHERE application_id = $1", registered.client.id
    )
    assert [row["customer_id"] for row in rows] == [event["customer_id"]]


async def test_nobody_connects_the_test_customer_of_another_person(context: Context, owner: Browser) -> None:
    """The verb judges so by itself, whichever page or command calls it."""
    registered = await register_own(owner)
    client_id = client_id_of(registered)
    await let_act_alone(context, client_id)
    row = await context.database.row(
        "SELECT p.email FROM person p JOIN application_owner w ON w.person_id = p.id WHERE w.application_id = $1",
        UUID(client_id),
    )
    assert row is not None
    person = await person_of(context, row["email"])
    other = Actor("application owner", UUID(client_id))
    with pytest.raises(OwnerError, match="only one that you can connect"):
        await connect_test_customer(context, other, person, UUID(client_id))
