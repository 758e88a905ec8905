"""Properties of the authorization endpoint that hold for any addresses, names and parameters."""

from collections.abc import Sequence
from urllib.parse import urlencode

from hypothesis import given, reject
from hypothesis import strategies as st

from app.context import Context
from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from app.oauth.registration import RegistrationError, check_name
from tests.support.browser import Browser, query_of
from tests.support.changing import change
from tests.support.depth import examples
from tests.support.people import REDIRECT_URI, World
from tests.web.reading import tags_of, words_of
from tests.web.told import error_by_redirect, error_on_page

# Addresses that differ in what a loose comparison would forgive.
ADDRESSES = st.builds(
    "{}://{}{}{}{}".format,
    st.sampled_from(["https", "http", "HTTPS"]),
    st.sampled_from(["a.example", "A.example", "a.example.evil.example", "x@a.example"]),
    st.sampled_from(["", ":443", ":8443"]),
    st.sampled_from(["", "/", "/cb", "/CB", "/cb/", "/x/../cb", "/%63b"]),
    st.sampled_from(["", "?", "?t=1", "?t=%31", "?t=1&u=2", "#", "#x"]),
)
REGISTRABLE = st.builds(
    "https://a.example{}{}".format,
    st.sampled_from(["", "/", "/cb", "/CB", "/cb/", ":8443/cb"]),
    st.sampled_from(["", "?", "?t=1", "?t=%31", "?t=1&u=2"]),
)


@given(
    registered=st.lists(REGISTRABLE, unique=True, max_size=3),
    requested=st.none() | REGISTRABLE | ADDRESSES | st.text(max_size=30),
    state=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
)
@examples(60)
async def test_answer_goes_to_the_registered_string_or_nowhere(
    browser: Browser, context: Context, registered: list[str], requested: str | None, state: str
) -> None:
    """O-7, O-8, O-9, O-10, O-11, O-12, O-13, O-23, O-24, O-25, O-123, O-124, O-125, R-31, R-32."""
    application = await register_application(
        context, COMMAND_LINE, name="Sitewise", company="Sitewise Ltd", redirect_uris=tuple(registered)
    )
    query = {"client_id": str(application.client.id), "response_type": "token"}
    query |= {"state": state} if state else {}
    query |= {"redirect_uri": requested} if requested is not None else {}
    answer = await browser.get(f"/app/oauth2/authorize?{urlencode(query)}")
    uri = expected_uri(requested, registered)
    if uri is None:
        error_on_page(answer)
    else:
        told = error_by_redirect(answer, uri.removesuffix("?"))
        assert told["error"] == "unsupported_response_type"
        assert told.get("state", "") == state


def expected_uri(requested: str | None, registered: Sequence[str]) -> str | None:
    """RFC 6749 section 3.1.2.3, in as few words as it takes. An empty parameter is an absent one."""
    if requested:
        return requested if requested in registered else None
    return registered[0] if len(registered) == 1 else None


FLEET = '[{"type":"fleet","identifiers":["PIN1"]}]'
VALUES = st.text(max_size=40) | st.sampled_from(
    ["code", "token", "S256", "plain", "aemp:read", '"\\\r\n', "[{}]", FLEET]
)
NAMES = st.sampled_from(
    [
        *("response_type", "response_mode", "scope", "state", "code_challenge", "code_challenge_method"),
        *("resource", "request", "request_uri", "prompt", "authorization_details"),
    ]
)


@given(pairs=st.lists(st.tuples(NAMES, VALUES | st.binary(max_size=20)), max_size=8))
@examples(60)
async def test_any_parameters_of_a_known_application_are_asked_or_refused_by_redirect(
    browser: Browser, world: World, pairs: list[tuple[str, str | bytes]]
) -> None:
    """O-5, O-20, O-21, O-23, O-24, O-32, O-119: never a fault of ours, never an error in a stranger's words."""
    encoded = urlencode(
        [(name, value.encode() if isinstance(value, str) else value) for name, value in pairs]
    )
    answer = await browser.get(f"{world.authorize_url(state=None)}&{encoded}")
    if answer.status_code == 303:
        told = error_by_redirect(answer, REDIRECT_URI)
        assert told["error"] != "server_error"
    else:
        assert (answer.status_code, 'name="password"' in answer.text) == (200, True)


@given(name=st.text(min_size=1, max_size=40))
@examples(15)
async def test_no_stranger_writes_what_we_tell(browser: Browser, world: World, name: str) -> None:
    """O-24, O-32: the description is shown to people elsewhere, and says nothing that the link brought along."""
    encoded = urlencode([(f"Call 0900 now! {name}", "1")] * 2)
    told = error_by_redirect(await browser.get(f"{world.authorize_url()}&{encoded}"), REDIRECT_URI)
    assert told["error_description"] in (
        "a parameter is sent more than once",
        "a parameter is too long or badly encoded",
    )


# Characters that a person can see; registration lets no others through.
VISIBLE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
PEOPLES_NAMES = st.lists(VISIBLE, min_size=1, max_size=3).map(" ".join)


@given(name=PEOPLES_NAMES, company=PEOPLES_NAMES)
@examples(15)
async def test_page_names_any_application_its_company_scope_and_lifetime(
    browser: Browser, world: World, name: str, company: str
) -> None:
    """O-31, O-32, R-48: whatever a name is made of, it is shown as itself."""
    try:
        name, company = check_name("name", name), check_name("company", company)
    except RegistrationError:
        reject()
    await change(
        world.context,
        "UPDATE application SET name = $2, company = $3 WHERE id = $1",
        *(world.registered.client.id, name, company),
    )
    page = await world.consent_page(browser)
    words = words_of(page)
    assert f"Connect {name} to your RoviTracker account?" in words
    assert f"made by {company}" in words
    assert "See your machines: name, make, model, serial number and position" in words
    assert "until you disconnect it" in words
    assert tags_of(page).isdisjoint({"script", "iframe", "object"})
    denied = await browser.submit(page, {"decision": "deny"}, action="/consent")
    assert query_of(denied)["error"] == "access_denied"
