"""Owners of applications on the wire: sign-up, registration in test mode, and the test walk to the first machines."""

import re
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from app.context import Context
from app.web.pages.render import ASSET_VERSION
from tests.support.browser import Browser, query_of
from tests.support.owners import NEW, REGISTER, register_own, sign_up, sign_up_link
from tests.support.people import PASSWORD, World
from tests.web.reading import found, words_of

LOGO = Path(__file__).parents[2] / "app/web/pages/static/sitewise.png"


def client_id_of(page: httpx2.Response) -> str:
    [own] = {str(each) for each in found(page, "//dt[code='client_id']/following-sibling::dd/code/text()")}
    return own


def walk_of(page: httpx2.Response) -> str:
    [link] = found(page, "//a[normalize-space()='Try it now']/@href")
    return str(link)


async def walk(browser: Browser, page: httpx2.Response) -> tuple[httpx2.Response, httpx2.Response]:
    """Consent as the test customer, and the page that the browser comes back to."""
    consent = await browser.get(walk_of(page))
    assert consent.status_code == 200, consent.text
    answer = await browser.submit(consent, {"decision": "approve"}, action="/consent")
    return consent, await browser.follow(answer)


async def test_from_an_address_to_the_first_machines(owner: Browser) -> None:
    """The whole way of somebody new: nobody of RoviTracker is asked."""
    registered = await register_own(owner)
    assert registered.status_code == 201, registered.text
    secret = re.search(r"rovi_cs_\w+", registered.text)
    assert secret
    _, back = await walk(owner, registered)
    token = await owner.submit(back, {}, action="/try/token")
    assert "rovi_at_c" in token.text, token.text
    fleet = await owner.submit(token, {}, action="/try/fleet")
    assert fleet.status_code == 200
    assert len(found(fleet, "//table//tbody/tr")) == 5
    quick = await owner.get(f"/app/developer/{client_id_of(registered)}")
    assert secret[0] not in quick.text


async def test_an_own_server_redeems_with_the_secret(owner: Browser) -> None:
    """Test mode lets http addresses of the own machine in, and its token reads the test customer's machines."""
    registered = await register_own(owner, addresses="http://localhost:3000/callback")
    consent = await owner.get(
        f"/app/oauth2/authorize?client_id={client_id_of(registered)}&state=s&redirect_uri=http://localhost:3000/callback"
    )
    code = query_of(await owner.submit(consent, {"decision": "approve"}, action="/consent"))["code"]
    secret = re.search(r"rovi_cs_\w+", registered.text)
    assert secret
    answer = await owner.http.post(
        "/app/oauth2/token",
        data={"client_id": client_id_of(registered), "client_secret": secret[0], "code": code},
    )
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    fleet = await owner.http.get(
        "/api/v2/Fleet/1", headers={"Authorization": f"Bearer {token}", "Accept": "application/json"}
    )
    assert len(fleet.json()["Equipment"]) == 8
    own = {"client_id": client_id_of(registered), "client_secret": secret[0], "token": token}
    introspected = (await owner.http.post("/app/oauth2/introspect", data=own)).json()
    assert (introspected["active"], introspected["test"]) == (True, True)


async def test_a_real_customer_does_not_meet_an_application_in_test_mode(
    context: Context, owner: Browser, stranger: Browser, world: World
) -> None:
    """Neither by its page, nor by an answer that was prepared before."""
    registered = await register_own(owner, addresses="https://sitewise.example/callback?tenant=7")
    client_id = client_id_of(registered)
    asked = world.authorize_url(client_id=client_id)
    refused = await stranger.sign_in(await stranger.get(asked), world.member.email, PASSWORD)
    assert refused.status_code == 403
    assert "test mode" in words_of(refused)
    assert not await context.database.rows(
        "SELECT FROM connection WHERE application_id = $1::uuid AND customer_id = $2",
        client_id,
        world.member.customer_id,
    )


@pytest.mark.parametrize("kind", ["classic", "strict", "public"])
async def test_each_kind_is_walked(owner: Browser, kind: str) -> None:
    registered = await register_own(owner, kind=kind)
    assert ("rovi_cs_" in registered.text) == (kind != "public")
    _, back = await walk(owner, registered)
    token = await owner.submit(back, {}, action="/try/token")
    assert ("rovi_at_c" if kind == "classic" else "rovi_at_s") in token.text


async def test_another_owner_sees_nothing_of_it(context: Context, owner: Browser, stranger: Browser) -> None:
    registered = await register_own(owner)
    await sign_up(context, stranger)
    for path in ("", "/try"):
        answer = await stranger.get(f"/app/developer/{client_id_of(registered)}{path}")
        assert answer.status_code == 404, answer.text
    walked = await stranger.get(walk_of(registered))
    assert walked.status_code == 403


async def test_an_answer_of_another_session_is_not_taken(owner: Browser) -> None:
    """O-22: the state is sealed to the session that began the walk, so no code of an attacker's gets in."""
    registered = await register_own(owner)
    answer = await owner.get(f"/app/developer/{client_id_of(registered)}/try?code=x&state=made-up")
    assert answer.status_code == 400


async def test_the_sign_in_of_an_owner_leads_to_the_applications(owner: Browser) -> None:
    """Whoever belongs to no customer account has nothing else to see."""
    assert "Register it" in words_of(await owner.get("/app/account"))
    await register_own(owner)
    assert (await owner.get("/app/account")).headers["location"] == "/app/developer"


async def test_a_logo_is_uploaded(owner: Browser) -> None:
    page = await owner.get(NEW)
    [hidden] = found(page, "//form[@enctype]//input[@type='hidden']/@value")
    fields = {"form": str(hidden), "company": "Sitewise Ltd", "name": "Sitewise", "kind": "classic"}
    registered = await owner.http.post(
        NEW, data=fields, files={"logo": ("logo.png", LOGO.read_bytes(), "image/png")}
    )
    assert registered.status_code == 201, registered.text
    assert found(registered, "//img[@class='logo']")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"name": ""}, "new-name"),
        ({"company": "W" * 200}, "new-company"),
        ({"addresses": "http://sitewise.example/"}, "new-addresses"),
        ({"addresses": "javascript:alert(1)"}, "new-addresses"),
    ],
)
async def test_what_is_refused_is_told_at_its_field_and_stores_nothing(
    owner: Browser, fields: dict[str, str], where: str
) -> None:
    answer = await register_own(owner, **{"addresses": "https://sitewise.example/cb", **fields})
    assert answer.status_code == 422
    [field] = found(answer, "//*[@aria-invalid='true']")
    assert field.get("id") == where
    kept = found(answer, "//textarea/text()")
    assert kept == [fields.get("addresses", "https://sitewise.example/cb")]
    assert (await owner.get("/app/developer")).headers["location"] == NEW


@pytest.mark.parametrize("picture", [b"", b"GIF89a not a picture", b"\x89PNG\r\n\x1a\n" + bytes(1024 * 1024)])
async def test_a_picture_that_cannot_be_used_says_why(owner: Browser, picture: bytes) -> None:
    page = await owner.get(NEW)
    [hidden] = found(page, "//form[@enctype]//input[@type='hidden']/@value")
    fields = {"form": str(hidden), "company": "Sitewise Ltd", "name": "Sitewise"}
    answer = await owner.http.post(NEW, data=fields, files={"logo": ("logo.png", picture, "image/png")})
    assert answer.status_code == 422
    [field] = found(answer, "//*[@aria-invalid='true']")
    assert field.get("id") == "new-logo"


async def test_a_known_address_gets_the_same_answer(browser: Browser, world: World) -> None:
    """O-84, R-54"""
    pages = []
    for email in (world.member.email, f"nobody.{uuid4().hex}@sitewise.example"):
        answer = await browser.submit(await browser.get(REGISTER), {"email": email})
        pages.append((answer.status_code, words_of(answer).replace(email, "")))
    assert pages[0] == pages[1]


async def test_a_link_works_once(context: Context, browser: Browser, stranger: Browser) -> None:
    email = f"olga.{uuid4().hex[:12]}@sitewise.example"
    link = await sign_up_link(context, browser, email)
    page = await browser.get(link)
    assert (await browser.submit(page, {"password": PASSWORD}, action=REGISTER)).status_code == 303
    again = await stranger.submit(page, {"password": PASSWORD}, action=REGISTER)
    assert again.status_code == 410
    assert (await stranger.get(link)).status_code == 410


async def test_a_password_that_is_easily_guessed_is_refused(context: Context, browser: Browser) -> None:
    link = await sign_up_link(context, browser, f"olga.{uuid4().hex[:12]}@sitewise.example")
    answer = await browser.submit(
        await browser.get(link), {"password": "password123", "name": "Olga"}, action=REGISTER
    )
    assert answer.status_code == 422
    assert found(answer, "//*[@aria-invalid='true']/@id") == ["sign-up-password"]
    assert found(answer, "//input[@name='name']/@value") == ["Olga"]


async def test_a_member_of_an_account_registers_too(browser: Browser, world: World) -> None:
    """Whoever has an account needs no other; the address must be confirmed."""
    await browser.sign_in(await browser.get(NEW), world.member.email, PASSWORD)
    refused = await register_own(browser)
    assert refused.status_code == 422
    assert "Confirm your e-mail address" in words_of(refused)
    await world.context.database.count(
        "UPDATE person SET email_confirmed_at = clock_timestamp() WHERE id = $1", world.member.id
    )
    registered = await register_own(browser)
    assert registered.status_code == 201
    consent, _ = await walk(browser, registered)
    assert "Test customer" in words_of(consent)


async def test_a_preview_waits_for_its_script(owner: Browser) -> None:
    """Under the policy of every page that has one, so no picture comes from elsewhere."""
    registered = await register_own(owner)
    for path in (NEW, f"/app/developer/{client_id_of(registered)}/settings"):
        page = await owner.get(path)
        [preview] = found(page, "//section[@data-preview]")
        assert preview.get("hidden") is not None
        assert found(page, "//script/@src") == [f"/app/static/preview.js?v={ASSET_VERSION}"]
        policy = page.headers["content-security-policy"]
        assert "img-src 'self';" in policy
        assert "script-src 'self';" in policy
