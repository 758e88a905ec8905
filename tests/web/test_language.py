"""Which language a page comes in: the person's own, the browser's choice, or what it asks for."""

import httpx2
import pytest

from app.language.languages import choose_language
from app.storage.people.people import select_person_by_id
from tests.cost.clock import assert_costs_at_most
from tests.support.browser import Browser, form_of
from tests.support.people import PASSWORD, World
from tests.web.reading import found, words_of
from tests.web.services import Services

LANGUAGE, LOGIN, SECURITY = "/app/language", "/app/login", "/app/account/security"


def language_of(page: httpx2.Response) -> str:
    [code] = found(page, "/html/@lang")
    assert page.headers["content-language"] == code
    assert page.headers["vary"] == "Accept-Language, Cookie"
    return str(code)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("", "en"),
        ("es", "es"),
        ("ES-mx", "es"),
        ("es-419,es;q=0.9,en;q=0.8", "es"),
        ("en-GB,en;q=0.9,es;q=0.8", "en"),
        ("de-DE,de;q=0.9,es;q=0.5,en;q=0.3", "es"),
        ("de, fr", "en"),
        ("de, *;q=0.5", "en"),
        ("en;q=0, *", "es"),
        ("es;q=0", "en"),
        ("es;q=0, en;q=0", "en"),
        ("es-MX;q=0.2, es;q=0.9, en;q=0.5", "es"),
        ("es;q=5", "en"),
        ("es;q=0.5, en;q=0.5", "es"),
        ("español", "en"),
        (";;,,=;q", "en"),
        ('"es', "en"),
        (",".join(["es"] * 1000), "en"),
        ("x" * 8000, "en"),
    ],
)
async def test_browser_gets_the_language_that_it_asks_for(
    browser: Browser, asked: str, answered: str
) -> None:
    """RFC 9110 section 12.5.4: nothing senseless is a fault, and nobody means a list of a thousand."""
    page = await browser.http.get(LOGIN, headers=[(b"Accept-Language", asked.encode())])
    assert page.status_code == 200
    assert language_of(page) == answered


@pytest.mark.parametrize(
    "hostile", ["es," * 20_000, '"' * 60_000, "es;q=" + "0" * 60_000, "a" * 60_000, "*;" * 30_000]
)
def test_no_header_costs_more_than_it_is_long(hostile: str) -> None:
    """R-76."""
    assert_costs_at_most(lambda given: choose_language(accepted=given), hostile, seconds=0.05)


async def test_choice_goes_with_the_browser_and_comes_before_what_it_asks_for(browser: Browser) -> None:
    page = await browser.get(LOGIN, Accept_Language="en")
    answer = await browser.submit(page, {"language": "es"}, action=LANGUAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, LOGIN)
    chosen = await browser.get(LOGIN, Accept_Language="en")
    assert language_of(chosen) == "es"
    assert "Iniciar sesión" in words_of(chosen)
    assert language_of(await browser.get("/app/nothing")) == "es"


@pytest.mark.parametrize("cookie", ["xx", "", "ES", "es" * 30])
async def test_cookie_that_names_no_language_counts_as_none(browser: Browser, cookie: str) -> None:
    page = await browser.get(LOGIN, Accept_Language="en", Cookie=f"rovi_language={cookie}")
    assert (page.status_code, language_of(page)) == (200, "en")


async def test_own_language_comes_before_everything_and_goes_along(
    services: Services, browser: Browser, world: World
) -> None:
    await browser.sign_in(await browser.get(LOGIN), world.member.email, PASSWORD)
    page = await browser.get(f"{SECURITY}?done=others")
    answer = await browser.submit(page, {"language": "es"}, action=LANGUAGE)
    assert answer.headers["location"] == f"{SECURITY}?done=others"
    assert (await select_person_by_id(world.context.database, world.member.id)).language == "es"
    async with Browser(services.like()) as elsewhere:
        signed_in = await elsewhere.sign_in(await elsewhere.get(LOGIN), world.member.email, PASSWORD)
        assert language_of(signed_in) == "es"
        assert elsewhere.http.cookies["rovi_language"] == "es"
        assert language_of(await elsewhere.get("/app/nothing", Accept_Language="en")) == "es"


async def test_choice_is_an_event_and_the_same_again_is_none(browser: Browser, world: World) -> None:
    await browser.sign_in(await browser.get(LOGIN), world.member.email, PASSWORD)
    page = await browser.get(SECURITY)
    for _ in range(2):
        await browser.submit(page, {"language": "es"}, action=LANGUAGE)
    [event] = await world.context.database.rows(
        "SELECT actor_kind, detail FROM audit_event WHERE event = 'person.language_chosen' AND detail ->> 'person' = $1",
        str(world.member.id),
    )
    assert event["actor_kind"] == "customer"


@pytest.mark.parametrize("cookie", ["", "x", "=", "%00"])
async def test_senseless_mark_of_a_browser_is_no_fault_of_ours(browser: Browser, cookie: str) -> None:
    answer = await browser.http.post(LOGIN, content=b"", headers={"Cookie": f"rovi_browser={cookie}"})
    assert answer.status_code == 400


@pytest.mark.parametrize("language", ["", "xx", "ES", "en\r\nSet-Cookie: a=b"])
async def test_language_that_there_is_not_is_refused(browser: Browser, language: str) -> None:
    answer = await browser.submit(await browser.get(LOGIN), {"language": language}, action=LANGUAGE)
    assert answer.status_code == 422
    assert "There is no such language" in words_of(answer)
    assert "rovi_language" not in browser.http.cookies


async def test_form_of_another_browser_or_site_chooses_nothing(services: Services, browser: Browser) -> None:
    """R-43, R-44."""
    page = await browser.get(LOGIN)
    async with Browser(services.like()) as other:
        await other.get(LOGIN)
        answer = await other.http.post(LANGUAGE, data={**form_of(page, LANGUAGE).hidden, "language": "es"})
        assert answer.status_code == 400
    for headers in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        assert (await browser.submit(page, {"language": "es"}, action=LANGUAGE, **headers)).status_code == 403
    assert (await browser.get(LANGUAGE)).status_code == 405
    assert language_of(await browser.get(LOGIN)) == "en"


@pytest.mark.parametrize(
    "address", ["//evil.example/", "//evil.example/%2e%2e", "/%5Cevil.example", "/%09/evil.example"]
)
async def test_choice_never_leads_to_another_site(browser: Browser, address: str) -> None:
    """R-45: whatever address the page was found under."""
    page = await browser.http.get(f"http://localhost:8000{address}")
    assert page.status_code == 404
    answer = await browser.submit(page, {"language": "es"}, action=LANGUAGE)
    there = answer.headers["location"]
    assert there.startswith("/")
    assert not there.startswith(("//", "/\\", "/\t"))


async def test_choice_leads_back_to_the_request_that_the_page_was_asked_with(
    browser: Browser, world: World
) -> None:
    """Also after a refusal, whose page no address opens again."""
    login = await browser.get(world.authorize_url(state="a b&c=ü"))
    refused = await browser.submit(login, {"email": world.member.email, "password": "wrong"}, action=LOGIN)
    for page in (login, refused):
        answer = await browser.submit(page, {"language": "es"}, action=LANGUAGE)
        assert "Iniciar sesión" in words_of(await browser.get(answer.headers["location"]))
        assert answer.headers["location"] == str(login.request.url.raw_path, "ascii")


async def test_programs_and_the_documentation_stay_english(browser: Browser) -> None:
    spanish = {"Accept-Language": "es"}
    answer = await browser.http.post("/app/oauth2/token", data={"client_id": ["a", "b"]}, headers=spanish)
    assert answer.json()["error_description"] == "client_id is sent more than once"
    docs = await browser.http.get("/docs", headers=spanish)
    assert found(docs, "/html/@lang") == ["en"]
    assert found(docs, "//form") == []
    document = await browser.http.get("/openapi.json", headers=spanish)
    assert "Exchange" in document.text


async def test_sentence_of_a_rule_is_translated_where_a_page_tells_it(browser: Browser, world: World) -> None:
    spanish = {"Accept_Language": "es-AR"}
    twice = await browser.http.post(LOGIN, content="email=a&email=b", headers={"Accept-Language": "es"})
    assert "Email se envió más de una vez." in words_of(twice)
    unknown = await browser.get(world.authorize_url(redirect_uri="https://evil.example/"), **spanish)
    assert (
        "La aplicación pidió la respuesta en https://evil.example/, una dirección que no tiene registrada. "
        "Avise a quien le dio este enlace."
    ) in words_of(unknown)
