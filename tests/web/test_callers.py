"""Callers of the machine endpoints: their proof, how its failure is told, and what each kind may leave out."""

from base64 import b64encode
from typing import Any

import httpx2
import pytest

from app.context import Context
from app.flows.account.register_application import RegisteredApplication, register_application
from app.oauth.actor import COMMAND_LINE
from app.oauth.token_string import mint
from tests.support.assertions import by_assertion, claims_of, key_pair, register_keyed, signed
from tests.support.browser import Browser
from tests.support.people import VERIFIER, Strict, World, pair_of, reads
from tests.support.references import without_reference
from tests.web.told import error_as_json

TOKEN, INTROSPECT, REVOKE = "/app/oauth2/token", "/app/oauth2/introspect", "/app/oauth2/revoke"
ENDPOINTS = {"token_endpoint": TOKEN, "introspection_endpoint": INTROSPECT, "revocation_endpoint": REVOKE}
SERVER = "/.well-known/oauth-authorization-server"


def basic(client_id: str, client_secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{client_id}:{client_secret}".encode()).decode()}


@pytest.fixture
async def strict(context: Context, world: World) -> RegisteredApplication:
    """One of the test's customer, with every grant that there is for it."""
    return await register_application(
        context,
        COMMAND_LINE,
        name="Sitewise",
        company="Sitewise Ltd",
        kind="strict",
        grants=("authorization_code", "client_credentials"),
        customer_id=world.member.customer_id,
    )


def credentials_of(application: RegisteredApplication) -> tuple[str, str]:
    assert application.client_secret is not None
    return str(application.client.id), application.client_secret


# The metadata's name of a method, and how a request says who it is by it.
METHODS: dict[str, Any] = {
    "client_secret_basic": lambda client_id, secret: {"headers": basic(client_id, secret)},
    "client_secret_post": lambda client_id, secret: {
        "data": {"client_id": client_id, "client_secret": secret}
    },
    "private_key_jwt": lambda client_id, _secret: {
        "data": by_assertion(signed(key_pair("EC"), claims_of(client_id)))
    },
    "none": lambda client_id, _secret: {"data": {"client_id": client_id}},
}
NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_every_advertised_method_proves_who_calls(
    endpoint: str, browser: Browser, world: World, strict: RegisteredApplication
) -> None:
    """O-44, O-48, O-114, O-117, O-118, O-134: at the endpoint it is advertised for, for both kinds of application."""
    public = await register_application(
        world.context, COMMAND_LINE, name="Phone", company="Sitewise Ltd", public=True
    )
    document = (await browser.get(SERVER)).json()
    methods = document[f"{endpoint}_auth_methods_supported"]
    keyed = await register_keyed(world.context)
    without_secret = {"none": public, "private_key_jwt": keyed}
    assert {"client_secret_basic", "client_secret_post"} <= set(methods)
    for method in methods:
        own = [(world.client_id, world.client_secret), credentials_of(strict)]
        if method in without_secret:
            own = [(str(without_secret[method].client.id), "")]
        for client_id, secret in own:
            right = await call(browser, ENDPOINTS[endpoint], METHODS[method](client_id, secret))
            assert right.status_code == (400 if endpoint == "token_endpoint" else 200), right.text
            other = (client_id, secret[:-1]) if secret else (NOBODY, "")
            wrong = await call(browser, ENDPOINTS[endpoint], METHODS[method](*other))
            assert (wrong.status_code, error_as_json(wrong)) == (401, "invalid_client")


async def call(browser: Browser, path: str, proof: dict[str, Any]) -> httpx2.Response:
    """Call with a code and a token that were never issued."""
    asked = {"grant_type": "authorization_code", "code": "x", "token": mint("at", "c", 7).text}
    return await browser.http.post(path, **{**proof, "data": {**asked, **proof.get("data", {})}})


async def test_public_application_may_send_its_id_by_basic_with_an_empty_secret(
    browser: Browser, context: Context
) -> None:
    """O-52: a code, a refresh token and a revocation; introspection stays for those who have a secret."""
    phone = await Strict.register(context, public=True)

    async def ask(path: str, **fields: str) -> httpx2.Response:
        return await browser.http.post(path, data=fields, headers=basic(phone.client_id, ""))

    code = await phone.code(browser)
    given = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    pair = pair_of(await ask(TOKEN, **given))
    pair = pair_of(await ask(TOKEN, grant_type="refresh_token", refresh_token=pair.refresh))
    assert error_as_json(await ask(INTROSPECT, token=pair.access)) == "invalid_client"
    assert (await ask(REVOKE, token=pair.refresh)).status_code == 200
    assert not await reads(browser, pair.access)


@pytest.mark.parametrize("path", ENDPOINTS.values(), ids=ENDPOINTS)
async def test_failed_authorization_header_is_401_with_its_scheme(
    path: str, browser: Browser, world: World
) -> None:
    """O-45, O-46, O-89, O-100: whatever was wrong with it, in the words of every other failure."""
    wrong = [
        basic(world.client_id, "wrong"),
        basic(world.client_id, ""),
        basic(NOBODY, world.client_secret),
        basic("", world.client_secret),
        {"Authorization": "Basic %%%"},
        {"Authorization": "Basic"},
        {"Authorization": f"Bearer {mint('at', 'c', 7).text}"},
        {"Authorization": "Digest username=x"},
        {},
    ]
    answers = [await call(browser, path, {"headers": headers}) for headers in wrong]
    assert {(answer.status_code, error_as_json(answer)) for answer in answers} == {(401, "invalid_client")}
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Basic realm="RoviTracker"'}
    assert len({without_reference(answer) for answer in answers}) == 1


@pytest.mark.parametrize("changes", [{"grant_type": None}, {"grant_type": ""}])
async def test_strict_application_names_its_grant(
    browser: Browser, strict: RegisteredApplication, changes: dict[str, str | None]
) -> None:
    """O-39 (strict): a code alone does not say what it is for."""
    fields = {"grant_type": "authorization_code", "code": mint("ac", "s", 7).text, **changes}
    sent = {name: value for name, value in fields.items() if value is not None}
    answer = await browser.http.post(TOKEN, data=sent, headers=basic(*credentials_of(strict)))
    assert (answer.status_code, error_as_json(answer)) == (400, "invalid_request")
    assert "grant_type" in answer.json()["error_description"]


@pytest.mark.parametrize("grant", ["authorization_code", "client_credentials", "password", ""])
async def test_nobody_gets_anything_by_a_name_alone(
    grant: str, browser: Browser, world: World, strict: RegisteredApplication
) -> None:
    """O-44, O-45, O-59: whatever the grant, and before it is even looked at."""
    for client_id in (world.client_id, str(strict.client.id)):
        fields = {"client_id": client_id, "grant_type": grant, "code": await world.code(browser)}
        answer = await browser.http.post(TOKEN, data=fields)
        assert (answer.status_code, error_as_json(answer)) == (401, "invalid_client")


async def test_public_application_has_no_secret_to_send_and_scans_for_no_tokens(
    browser: Browser, context: Context, world: World
) -> None:
    """O-45, O-99: a secret where there is none would make a guess look like a proof."""
    public = await register_application(
        context, COMMAND_LINE, name="Phone", company="Sitewise Ltd", public=True
    )
    token = await world.token(browser)
    client_id = str(public.client.id)
    for path in ENDPOINTS.values():
        answer = await call(browser, path, {"data": {"client_id": client_id, "client_secret": "x"}})
        assert (answer.status_code, error_as_json(answer)) == (401, "invalid_client")
    answer = await browser.http.post(INTROSPECT, data={"client_id": client_id, "token": token})
    assert (answer.status_code, error_as_json(answer)) == (401, "invalid_client")
    revoked = await browser.http.post(REVOKE, data={"client_id": client_id, "token": token})
    assert (revoked.status_code, revoked.content) == (200, b"{}")
    assert (await world.introspect(browser, token))["active"] is True
