"""The authorization endpoint on the wire: what is asked, what is refused and how, and where the answer may go."""

import re
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import orjson
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from app.context import Context
from tests.support.browser import ORIGIN, Browser, query_of
from tests.support.changing import change
from tests.support.depth import examples
from tests.support.people import PASSWORD, REDIRECT_URI, World
from tests.support.request_lines import written_lines
from tests.web.reading import attributes_of, words_of
from tests.web.services import Services, same_browser, unreachable_database
from tests.web.told import error_on_page

AUTHORIZE = "/app/oauth2/authorize"


def refused_by_redirect(answer: httpx2.Response, error: str) -> dict[str, str]:
    """The answer's parameters, after checking that it went to the application as RFC 6749 section 4.1.2.1 says."""
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(REDIRECT_URI + "&")
    assert answer.headers["referrer-policy"] == "no-referrer"
    parameters = query_of(answer)
    assert parameters["error"] == error
    assert parameters["iss"] == ORIGIN
    assert "code" not in parameters
    return parameters


async def decided(browser: Browser, page: httpx2.Response, decision: str) -> dict[str, str]:
    """The parameters that the application is sent with the customer's decision on the consent page."""
    return query_of(await browser.submit(page, {"decision": decision}, action="/consent"))


async def test_documented_request_is_accepted(browser: Browser, world: World) -> None:
    """O-1, O-2, O-14 (classic): GET without response_type and scope; nobody is asked to approve before signing in."""
    page = await browser.get(world.authorize_url())
    assert page.status_code == 200
    assert 'name="password"' in page.text
    assert 'value="approve"' not in page.text


async def test_form_without_sign_in_gives_no_code(browser: Browser, world: World) -> None:
    """O-2: a consent page outlives its session, but approves nothing without one."""
    page = await world.consent_page(browser)
    browser.http.cookies.delete("rovi_session")
    answer = await browser.submit(page, {"decision": "approve"}, action="/consent")
    assert answer.status_code == 403
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "name", ["response_type", "scope", "code_challenge", "code_challenge_method", "state"]
)
async def test_empty_parameter_counts_as_absent(browser: Browser, world: World, name: str) -> None:
    """O-3"""
    assert (await world.consent_page(browser, **{name: ""})).status_code == 200


async def test_empty_redirect_uri_counts_as_absent(browser: Browser, world: World) -> None:
    """O-3, O-9: with one registered that one is used."""
    answer = await browser.get(world.authorize_url(redirect_uri="", response_type="token"))
    refused_by_redirect(answer, "unsupported_response_type")


async def test_unknown_parameter_is_ignored(browser: Browser, world: World) -> None:
    """O-4"""
    page = await world.consent_page(browser, utm_source="mail", prompt="none", nonce="n-0S6")
    assert 'value="approve"' in page.text


@pytest.mark.parametrize("name", ["state", "response_type", "scope", "code_challenge", "utm_source"])
async def test_repeated_parameter_is_refused_by_redirect(browser: Browser, world: World, name: str) -> None:
    """O-5, R-34"""
    url = world.authorize_url(**{name: "code"}) + f"&{name}=code"
    parameters = refused_by_redirect(await browser.get(url), "invalid_request")
    assert ("state" in parameters) == (name != "state")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
async def test_repeated_sender_is_refused_on_a_page(browser: Browser, world: World, name: str) -> None:
    """O-5, R-34: two of these leave open who asks or where the answer goes."""
    value = world.client_id if name == "client_id" else REDIRECT_URI
    error_on_page(await browser.get(f"{world.authorize_url()}&{urlencode({name: value})}"))


@pytest.mark.parametrize(
    "client_id",
    [
        None,
        "",
        "unknown",
        "00000000-0000-7000-8000-000000000000",
        "' OR 1=1 --",
        "\x00",
        "é" * 36,
        "0" * 5000,
    ],
)
async def test_bad_client_id_never_redirects(browser: Browser, world: World, client_id: str | None) -> None:
    """O-6, O-125, R-33"""
    error_on_page(await browser.get(world.authorize_url(client_id=client_id)))


async def test_client_id_has_one_spelling(browser: Browser, world: World) -> None:
    """O-6"""
    error_on_page(await browser.get(world.authorize_url(client_id=world.client_id.upper())))


MUTATIONS = {
    "case of host": "https://SITEWISE.example/callback?tenant=7",
    "case of scheme": "HTTPS://sitewise.example/callback?tenant=7",
    "case of path": "https://sitewise.example/Callback?tenant=7",
    "slash": "https://sitewise.example/callback/?tenant=7",
    "port": "https://sitewise.example:443/callback?tenant=7",
    "http": "http://sitewise.example/callback?tenant=7",
    "no query": "https://sitewise.example/callback",
    "more query": REDIRECT_URI + "&x=1",
    "encoded": "https://sitewise.example/%63allback?tenant=7",
    "fragment": REDIRECT_URI + "#x",
    "bare fragment": REDIRECT_URI + "#",
    "dot segments": "https://sitewise.example/x/../callback?tenant=7",
    "matrix dots": "https://sitewise.example/..;/callback?tenant=7",
    "user information": "https://sitewise.example@evil.example/callback?tenant=7",
    "two user informations": "https://sitewise.example@x@evil.example/callback?tenant=7",
    "backslash": "https://evil.example\\@sitewise.example/callback?tenant=7",
    "subdomain": "https://sitewise.example.evil.example/callback?tenant=7",
    "prefix": "https://evil-sitewise.example/callback?tenant=7",
    "localhost look-alike": "https://localhost.evil.example/callback?tenant=7",
    "loopback": "http://127.0.0.1/callback?tenant=7",
    "loopback of IPv6": "http://[::1]/callback?tenant=7",
    "fullwidth": "https://sitewise.example\uff0fcallback?tenant=7",
    "cyrillic": "https://s\u0456tewise.example/callback?tenant=7",
    "relative": "/callback?tenant=7",
    "scheme-relative": "//sitewise.example/callback?tenant=7",
    "trailing dot": "https://sitewise.example./callback?tenant=7",
    "blank behind": REDIRECT_URI + " ",
    "line break": REDIRECT_URI + "\r\nX: y",
    "tab": "https://sitewise\t.example/callback?tenant=7",
    "javascript": "javascript:alert(1)",
    "data": "data:text/html,x",
    "ours": ORIGIN + "/app/login",
}


@pytest.mark.parametrize("uri", MUTATIONS.values(), ids=MUTATIONS.keys())
async def test_redirect_uri_of_another_spelling_never_redirects(
    browser: Browser, world: World, uri: str
) -> None:
    """O-7, O-10, O-12, O-123, O-124, O-125, R-31, R-35: plain string comparison, the customer is told, the browser stays."""
    answer = await browser.get(world.authorize_url(redirect_uri=uri))
    error_on_page(answer)
    for tag, name in (("a", "href"), ("form", "action"), ("img", "src"), ("link", "href")):
        assert not [link for link in attributes_of(answer, tag, name) if not link.startswith(("/", "#"))]
    assert not re.search(r"<[^>]*(?:evil|sitewise)", answer.text)


@pytest.mark.parametrize(
    ("sent", "shown", "differs"),
    [
        ("https://sitewise.example/Callback?tenant=7", None, "letter case"),
        (REDIRECT_URI + "/", None, "last slash"),
        ("http://sitewise.example/callback?tenant=7", None, "scheme"),
        ("https://www.sitewise.example/callback?tenant=7", None, "host"),
        ("https://sitewise.example/callback?tenant=8", None, "query"),
        ("https://sitewise.example/back#x", None, "path and query and fragment"),
        ("Call 0900 <b>now</b>", "Call%200900%20%3Cb%3Enow%3C/b%3E", "scheme and host and path and query"),
    ],
)
async def test_person_reads_which_address_was_refused_and_the_log_says_why(
    browser: Browser, world: World, sent: str, shown: str | None, differs: str
) -> None:
    """O-7, O-32, O-125: as text without a link, and in characters of an address alone."""
    with written_lines() as lines:
        answer = await browser.get(world.authorize_url(redirect_uri=sent))
    error_on_page(answer)
    told = f"asked for the answer at {shown or sent}, an address that is not registered for it."
    assert told in words_of(answer)
    assert (shown or sent) not in attributes_of(answer, "a", "href")
    [line] = [orjson.loads(line) for line in lines if '"page_error"' in line]
    assert line["detail"] == (
        f"application {world.client_id}: redirect_uri {shown or sent} is not registered: "
        f"it differs from {REDIRECT_URI} in its {differs}"
    )


async def test_log_says_which_application_left_its_address_out(browser: Browser, context: Context) -> None:
    """O-8."""
    world = await World.make(context, redirect_uris=(REDIRECT_URI, "https://sitewise.example/other"))
    with written_lines() as lines:
        error_on_page(await browser.get(world.authorize_url(redirect_uri=None)))
    [line] = [orjson.loads(line) for line in lines if '"page_error"' in line]
    assert line["detail"] == (f"application {world.client_id}: redirect_uri is missing, and 2 are registered")


@given(place=st.integers(0, len(REDIRECT_URI)), letter=st.characters(codec="utf-8"))
@examples(40)
async def test_redirect_uri_with_one_more_character_never_redirects(
    browser: Browser, world: World, place: int, letter: str
) -> None:
    """O-12, O-123, R-31"""
    mutated = REDIRECT_URI[:place] + letter + REDIRECT_URI[place:]
    error_on_page(await browser.get(world.authorize_url(redirect_uri=mutated)))


@pytest.mark.parametrize("registered", [(), (REDIRECT_URI, "https://sitewise.example/other")])
async def test_missing_redirect_uri_is_refused_unless_one_is_registered(
    browser: Browser, context: Context, registered: tuple[str, ...]
) -> None:
    """O-8, R-32: none registered, or several."""
    world = await World.make(context, redirect_uris=registered)
    error_on_page(await browser.get(world.authorize_url(redirect_uri=None)))


async def test_missing_redirect_uri_means_the_only_one(browser: Browser, world: World) -> None:
    """O-9, O-11: and its own query survives."""
    page = await world.consent_page(browser, redirect_uri=None)
    answer = await browser.submit(page, {"decision": "approve"}, action="/consent")
    assert answer.headers["location"].startswith(REDIRECT_URI + "&code=rovi_ac_c")


@pytest.mark.parametrize("response_type", ["token", "id_token", "code token", "CODE", "none", "<b>"])
async def test_other_response_types_are_refused(browser: Browser, world: World, response_type: str) -> None:
    """O-15, O-129, R-36"""
    answer = await browser.get(world.authorize_url(response_type=response_type))
    refused_by_redirect(answer, "unsupported_response_type")


@pytest.mark.parametrize("mode", ["fragment", "form_post", "web_message"])
async def test_other_response_modes_are_refused(browser: Browser, world: World, mode: str) -> None:
    """O-25, R-36: parameters travel in the query, and nowhere else."""
    answer = await browser.get(world.authorize_url(response_mode=mode))
    refused_by_redirect(answer, "unsupported_response_type")
    assert "#" not in answer.headers["location"]


async def test_response_type_code_and_mode_query_are_accepted(browser: Browser, world: World) -> None:
    """O-14 (classic): the standard request beside the documented one."""
    page = await world.consent_page(browser, response_type="code", response_mode="query", scope="aemp:read")
    assert 'value="approve"' in page.text


async def test_application_without_the_grant_is_told(browser: Browser, world: World) -> None:
    """O-16"""
    await change(
        world.context,
        "UPDATE application SET grants = '{client_credentials}' WHERE id = $1",
        world.registered.client.id,
    )
    refused_by_redirect(await browser.get(world.authorize_url()), "unauthorized_client")


UNAVAILABLE = {
    "suspended": "This application is not available",
    "pending": "This application is not known here",
    "deleted": "This application is not known here",
}


@pytest.mark.parametrize(("status", "title"), UNAVAILABLE.items())
@pytest.mark.parametrize("signed_in", [False, True], ids=["signed out", "signed in"])
async def test_application_that_is_not_active_gets_a_page(
    browser: Browser, world: World, status: str, title: str, *, signed_in: bool
) -> None:
    """O-6: RFC 6749 section 4.1.2.1; whatever else is wrong, nobody is sent to an address it registered."""
    if signed_in:
        await world.consent_page(browser)
    await change(
        world.context, "UPDATE application SET status = $2 WHERE id = $1", world.registered.client.id, status
    )
    for changes in (
        {},
        {"scope": "x"},
        {"response_type": "token"},
        {"state": "s" * 3000},
        {"redirect_uri": None},
    ):
        answer = await browser.get(world.authorize_url(**changes))
        error_on_page(answer)
        assert title in answer.text
        posted = await browser.http.post(AUTHORIZE, data={"client_id": world.client_id})
        error_on_page(await browser.follow(posted))


async def test_application_that_is_resumed_is_served_again(browser: Browser, world: World) -> None:
    """O-6: a suspension is no end."""
    for status, answered in (("suspended", 400), ("active", 200)):
        await change(
            world.context,
            "UPDATE application SET status = $2 WHERE id = $1",
            world.registered.client.id,
            status,
        )
        assert (await browser.get(world.authorize_url())).status_code == answered


@pytest.mark.parametrize(
    "scope", ["aemp:write", "aemp:read aemp:write", "AEMP:READ", 'aemp:"read', "aemp:read\taemp:read", "é"]
)
async def test_scope_that_is_wrong_or_too_wide_is_refused(browser: Browser, world: World, scope: str) -> None:
    """O-18, O-19, R-46"""
    refused_by_redirect(await browser.get(world.authorize_url(scope=scope)), "invalid_scope")


async def test_scope_left_out_means_the_default(browser: Browser, world: World) -> None:
    """O-19, O-56"""
    answer = await world.exchange(browser, await world.code(browser))
    assert answer.json()["scope"] == "aemp:read"


@pytest.mark.parametrize(
    ("challenge", "method"),
    [("x" * 43, None), ("x" * 43, "plain"), ("short", "S256"), (None, "S256"), ("=" * 43, "S256")],
)
async def test_challenge_that_is_wrong_is_refused(
    browser: Browser, world: World, challenge: str | None, method: str | None
) -> None:
    """O-20, O-79, O-80, O-81"""
    url = world.authorize_url(code_challenge=challenge, code_challenge_method=method)
    refused_by_redirect(await browser.get(url), "invalid_request")


@pytest.mark.parametrize("name", ["request", "request_uri"])
async def test_request_objects_are_refused(browser: Browser, world: World, name: str) -> None:
    """O-20: to ignore one would be to approve something else than was asked."""
    url = world.authorize_url(**{name: "https://evil.example/object"})
    refused_by_redirect(await browser.get(url), f"{name}_not_supported")


async def test_unknown_resource_is_refused(browser: Browser, world: World) -> None:
    """O-20, O-154"""
    url = world.authorize_url(resource="https://elsewhere.example/")
    refused_by_redirect(await browser.get(url), "invalid_target")


async def test_state_is_absent_where_none_was_sent(browser: Browser, world: World) -> None:
    """O-23"""
    parameters = refused_by_redirect(
        await browser.get(world.authorize_url(state=None, response_type="x")), "unsupported_response_type"
    )
    assert "state" not in parameters


STATES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)


@given(state=STATES)
@examples(40)
async def test_state_comes_back_with_an_error_as_it_was_sent(
    browser: Browser, world: World, state: str
) -> None:
    """O-23, O-32, R-37, R-79"""
    answer = await browser.get(world.authorize_url(state=state, response_type="token"))
    assert refused_by_redirect(answer, "unsupported_response_type")["state"] == state
    assert re.fullmatch(r"[\x21-\x7e]+", answer.headers["location"])


@given(state=STATES)
@examples(25)
async def test_state_comes_back_with_a_decision_as_it_was_sent(
    browser: Browser, world: World, state: str
) -> None:
    """O-23, O-32, R-37, R-79: through the sign-in, the sealed flow and the redirect."""
    page = await world.consent_page(browser, state=state)
    assert (await decided(browser, page, "approve"))["state"] == state


LONGEST = {"plain": "x" * 2048, "controls": "\x01" * 2048, "quotes": '"' * 2048, "two bytes": "é" * 1024}


@pytest.mark.parametrize("state", LONGEST.values(), ids=LONGEST.keys())
async def test_longest_state_survives_sign_in_and_decision(
    browser: Browser, world: World, state: str
) -> None:
    """O-23, R-37: sealed into hidden fields it is far longer than it was, and still fits."""
    page = await world.consent_page(browser, state=state, filler="%" * 1500)
    assert (await decided(browser, page, "deny"))["state"] == state


@pytest.mark.parametrize("state", ["x" * 2049, "é" * 1025, "x" * 4096])
async def test_longer_state_is_refused_and_not_echoed(browser: Browser, world: World, state: str) -> None:
    """R-37"""
    answer = await browser.get(world.authorize_url(state=state))
    assert "state" not in refused_by_redirect(answer, "invalid_request")


async def test_state_that_is_not_utf8_is_refused(browser: Browser, world: World) -> None:
    """O-20, R-37"""
    answer = await browser.get(world.authorize_url(state=None) + "&state=%FF%FE")
    assert "state" not in refused_by_redirect(answer, "invalid_request")


@pytest.mark.parametrize(
    "changes", [{}, {"response_type": "token"}, {"scope": "é\r\n"}, {"state": "x" * 3000}]
)
async def test_error_keeps_to_the_characters_of_the_rfc(
    browser: Browser, world: World, changes: dict[str, str]
) -> None:
    """O-24"""
    answer = await browser.get(world.authorize_url(**({"code_challenge": "é"} | changes)))
    parameters = query_of(answer)
    for name in ("error", "error_description"):
        assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", parameters[name])


async def test_issuer_is_that_of_the_metadata_and_in_every_answer(browser: Browser, world: World) -> None:
    """O-119, O-120, O-121, O-130, R-38"""
    metadata = (await browser.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["authorization_response_iss_parameter_supported"] is True
    page = await world.consent_page(browser)
    approved = await decided(browser, page, "approve")
    denied = await decided(browser, await world.consent_page(browser), "deny")
    refused = query_of(await browser.get(world.authorize_url(response_type="token")))
    assert approved["iss"] == denied["iss"] == refused["iss"] == metadata["issuer"]
    assert urlsplit(metadata["issuer"])._replace(scheme="", netloc="").geturl() == ""


async def test_consent_is_never_skipped(browser: Browser, world: World) -> None:
    """O-31, O-125: connected already, signed in already, and still asked."""
    await world.token(browser)
    again = await browser.get(world.authorize_url())
    assert again.status_code == 200
    assert 'value="approve"' in again.text


async def test_posted_request_continues_as_the_same_get(browser: Browser, world: World) -> None:
    """O-1, R-39: 303, and to the byte, whatever it holds."""
    body = urlsplit(world.authorize_url(state="a b+ü&\r\n")).query + "&raw=ä&twice=1&twice=2&bad=%zz"
    answer = await browser.http.post(
        AUTHORIZE,
        content=body.encode() + b"\r\nSet-Cookie: x",
        headers={"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{AUTHORIZE}?{body.replace('ä', '%C3%A4')}%0D%0ASet-Cookie:%20x"
    assert "set-cookie" not in answer.headers


async def test_posted_request_that_no_address_can_hold_is_refused(browser: Browser, world: World) -> None:
    """R-76: the same link as a GET would be refused before the service could say why."""
    body = urlsplit(world.authorize_url(state="")).query + "&more="
    fitting = body + "x" * (8192 - len(f"{AUTHORIZE}?{body}"))
    assert (await browser.http.post(AUTHORIZE, content=fitting)).status_code == 303
    for longer in (f"{fitting}x", f"{body}{'ä' * 2000}"):
        answer = await browser.http.post(AUTHORIZE, content=longer.encode())
        error_on_page(answer, 413)
        assert "It has more than 8,192 characters." in answer.text


async def test_posted_request_reaches_the_consent_page(browser: Browser, world: World) -> None:
    """O-1"""
    await world.consent_page(browser)
    body = urlsplit(world.authorize_url(state="ü %")).query
    answer = await browser.http.post(AUTHORIZE, content=body.encode())
    page = await browser.follow(answer)
    assert (await decided(browser, page, "deny"))["state"] == "ü %"


async def test_state_sent_unencoded_survives_the_sign_in(app: FastAPI, world: World) -> None:
    """O-23: browsers encode, other clients send raw UTF-8; what waits behind the sign-in is the same request."""
    query = f"client_id={world.client_id}&redirect_uri={quote(REDIRECT_URI)}&state=grün".encode()
    async with Browser(RawQuery(app, query)) as browser:
        page = await browser.sign_in(await browser.get(AUTHORIZE), world.member.email, PASSWORD)
        assert (await decided(browser, page, "deny"))["state"] == "grün"


class RawQuery(FastAPI):
    """Puts a query of raw bytes before the first request, which no tidy client would send."""

    def __init__(self, app: FastAPI, query: bytes) -> None:
        super().__init__()
        self._inner = app
        self._query: bytes | None = query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._query is not None:
            scope["query_string"], self._query = self._query, None
        await self._inner(scope, receive, send)


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH"])
async def test_other_methods_and_other_origins_get_nothing(
    browser: Browser, world: World, method: str
) -> None:
    """O-140, R-83: no CORS on the authorization endpoint."""
    answer = await browser.http.request(
        method,
        world.authorize_url(),
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"},
    )
    assert answer.status_code == 405
    assert answer.headers["allow"]
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_answer_to_another_origin_cannot_be_read(browser: Browser, world: World) -> None:
    """O-140, R-83"""
    answer = await browser.get(world.authorize_url(), Origin="https://evil.example")
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_store_that_fails_once_the_application_is_known_is_told_by_redirect(
    browser: Browser, world: World, services: Services
) -> None:
    """O-22: with the state, and the application may try again."""
    await world.consent_page(browser)
    async with (
        unreachable_database() as database,
        same_browser(browser, services.like(database=database)) as other,
    ):
        answer = await other.get(world.authorize_url())
    assert refused_by_redirect(answer, "temporarily_unavailable")["state"] == "s-1"


@pytest.mark.parametrize("decision", ["approve", "deny"])
async def test_store_that_fails_at_the_decision_is_told_by_redirect(
    browser: Browser, world: World, services: Services, decision: str
) -> None:
    """O-22: the redirect URI was proved before it was sealed; approving again afterwards works."""
    page = await world.consent_page(browser)
    async with same_browser(browser, services.without_valkey()) as other:
        answer = await other.submit(page, {"decision": decision}, action="/consent")
    assert refused_by_redirect(answer, "temporarily_unavailable")["state"] == "s-1"
    assert (await browser.submit(page, {"decision": decision}, action="/consent")).status_code == 303


async def test_store_that_fails_before_the_application_is_known_gets_a_page(
    browser: Browser, world: World, services: Services
) -> None:
    """O-7: without the registration nobody can say whether the redirect URI is good."""
    async with unreachable_database() as database:
        gathered = services.gathered(database)
        async with same_browser(browser, services.like(database=database, gathered=gathered)) as other:
            answer = await other.get(world.authorize_url())
        await gathered.close()
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "location" not in answer.headers
    assert "nowhere" not in answer.text


async def test_fault_of_ours_is_told_by_redirect(browser: Browser, world: World) -> None:
    """O-21: a row no registration would write makes the consent page fail."""
    await world.consent_page(browser)
    await change(
        world.context,
        "UPDATE application SET scope = 'aemp:read nobody:knows' WHERE id = $1",
        world.registered.client.id,
    )
    answer = await browser.get(world.authorize_url(scope="nobody:knows"))
    parameters = refused_by_redirect(answer, "server_error")
    assert parameters["state"] == "s-1"
    assert "KeyError" not in answer.headers["location"]
