"""/openapi.json: valid, complete, and its examples are what it says they are."""

from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.routing import Route

from app.aemp.model.elements import ELEMENTS
from app.aemp.model.series import SERIES
from app.flows.token.grants import GRANTS
from app.web.reference.credentials import CREDENTIALS
from app.web.routes import router
from tests.support.browser import Browser
from tests.web.described import (
    DOCUMENT,
    OPERATIONS,
    Documented,
    Operation,
    body_of,
    check,
    documented,
    resolved,
)
from tests.web.services import Services

# Every route that is not for programs, or is the document itself.
FOR_PEOPLE = {
    "/",
    "/docs",
    "/openapi.json",
    "/app/login",
    "/app/login/code",
    "/app/login/passkey",
    "/app/login/passkey/ask",
    "/app/logout",
    "/app/language",
    "/app/oauth2/consent",
    "/app/invitation/{secret}",
    "/app/register",
    "/app/register/{secret}",
    "/app/developer",
    "/app/developer/new",
    "/app/developer/{application:uuid}",
    "/app/developer/{application:uuid}/test-customer",
    "/app/developer/requests",
    "/app/developer/{application:uuid}/requests",
    "/app/developer/{application:uuid}/usage",
    "/app/developer/{application:uuid}/usage.csv",
    "/app/developer/{application:uuid}/people",
    "/app/developer/{application:uuid}/people/invite",
    "/app/developer/{application:uuid}/people/withdraw",
    "/app/developer/{application:uuid}/people/remove",
    "/app/developer/{application:uuid}/credentials",
    "/app/developer/{application:uuid}/credentials/rotate",
    "/app/developer/{application:uuid}/credentials/retire",
    "/app/developer/{application:uuid}/credentials/keys",
    "/app/developer/{application:uuid}/connections",
    "/app/developer/{application:uuid}/connections/ask",
    "/app/developer/{application:uuid}/connections/withdraw",
    "/app/developer/{application:uuid}/connections/resend",
    "/app/developer/pick-up",
    "/app/developer/{application:uuid}/notices",
    "/app/developer/{application:uuid}/settings",
    "/app/developer/{application:uuid}/publish",
    "/app/developer/{application:uuid}/publish/withdraw",
    "/app/developer/{application:uuid}/publish/delete",
    "/app/developer/{application:uuid}/try",
    "/app/developer/{application:uuid}/try/token",
    "/app/developer/{application:uuid}/try/fleet",
    "/app/account",
    "/app/account/people",
    "/app/account/people/account-name",
    "/app/account/people/invite",
    "/app/account/people/invitations/resend",
    "/app/account/people/invitations/withdraw",
    "/app/account/people/role",
    "/app/account/people/remove",
    "/app/account/people/leave",
    "/app/account/people/transfer",
    "/app/account/machines",
    "/app/account/applications",
    "/app/account/applications/disconnect",
    "/app/account/applications/disconnect-all",
    "/app/account/applications/{application:uuid}",
    "/app/account/applications/{application:uuid}/report",
    "/app/account/requests",
    "/app/account/requests/{request:uuid}",
    "/app/account/profile",
    "/app/account/profile/name",
    "/app/account/profile/time-zone",
    "/app/account/profile/notices",
    "/app/account/profile/email",
    "/app/account/profile/withdraw-email",
    "/app/account/profile/leave",
    "/app/account/profile/data",
    "/app/account/profile/close",
    "/app/email",
    "/app/operator/requests",
    "/app/operator/requests/judge",
    "/app/operator/requests/enter",
    "/app/operator/reviews",
    "/app/operator/reviews/{review:uuid}",
    "/app/operator/reviews/{review:uuid}/approve",
    "/app/operator/reviews/{review:uuid}/refuse",
    "/app/operator/staff",
    "/app/operator/staff/role",
    "/app/operator/staff/switch",
    "/app/operator/prove",
    "/app/account/security",
    "/app/account/security/password",
    "/app/account/security/passkeys/add",
    "/app/account/security/passkeys/ask",
    "/app/account/security/passkeys/new",
    "/app/account/security/passkeys/rename",
    "/app/account/security/passkeys/remove",
    "/app/account/security/sessions/end",
    "/app/account/security/sessions/end-others",
    "/app/account/security/authenticator",
    "/app/account/security/authenticator/off",
    "/app/account/security/recovery-codes",
    "/app/password/forgotten",
    "/app/password/new",
    "/app/logo/{digest}.png",
    "/app/demo/callback",
    "/app/demo/token",
    "/app/demo/fleet",
    "/app/demo/mail",
}

ANSWERS = [each for operation in OPERATIONS.values() for each in documented(operation)]


async def test_document_is_valid_openapi_3_1(browser: Browser) -> None:
    answer = await browser.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    document = answer.json()
    assert document == DOCUMENT
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_every_route_is_documented_or_for_people() -> None:
    routed = {
        (route.path, method.lower())
        for route in router.routes
        if isinstance(route, Route) and "{fleet:fleet}" not in route.path
        for method in route.methods or ()
        if method not in {"OPTIONS", "HEAD"}  # a browser's question, and a GET without its body
    }
    described = {
        (operation.path, operation.method)
        for operation in OPERATIONS.values()
        if not operation.path.startswith(("/api/Fleet", "/api/v1/Fleet", "/api/v2/Fleet"))
    }
    assert described == {(path, method) for path, method in routed if path not in FOR_PEOPLE}
    assert {path for path, _ in routed} >= FOR_PEOPLE, "a path of this list is gone"


def test_every_form_of_address_below_fleet_is_documented() -> None:
    """Which they are is written out here: one route takes them all. Two forms cannot stand in the document, since they
    cannot be told from others there: make, model and serial number without a keyword, and a machine for a page."""
    machines = ("{identifier}", "ID/{id}", "MakeModelSerial/{make}/{model}/{serial}")
    dates = "/{startDate}/{endDate}"
    further = ("", "/{series}", f"/{{series}}{dates}", f"/{{series}}{dates}/{{page}}", dates)
    expected = {f"/api/v2/Fleet/Equipment/{machine}{each}" for machine in machines for each in further}
    expected |= {f"/api/v1/Fleet/Equipment/{machine}" for machine in ("{vin}", *machines[1:])}
    expected |= {f"/api{version}/Fleet{page}" for version in ("", "/v1", "/v2") for page in ("", "/{page}")}
    assert {each.path for each in OPERATIONS.values() if "/Fleet" in each.path} == expected


async def test_addresses_begin_with_the_issuer_whatever_host_was_asked(
    browser: Browser, services: Services
) -> None:
    """R-78."""
    usual = await browser.get("/openapi.json")
    asked = await browser.get("/openapi.json", Host="evil.example", X_Forwarded_Host="evil.example")
    assert asked.content == usual.content
    async with Browser(services.under(issuer="https://auth.rovitracker.example")) as elsewhere:
        document = (await elsewhere.get("/openapi.json")).json()
    assert document["servers"] == [{"url": "https://auth.rovitracker.example"}]
    assert "localhost" not in str(document)


@pytest.mark.parametrize("each", [each for each in ANSWERS if each.media_type], ids=str)
def test_example_of_an_answer_is_valid(each: Documented) -> None:
    content = each.operation.answer(each.status)["content"][each.media_type]
    if each.name:
        as_value = "json" in each.media_type
        value = each.example if as_value else body_of(each.example, each.media_type, content["schema"])
        check(value, content["schema"], strictly=True)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda each: each.id)
def test_examples_of_a_request_are_valid(operation: Operation) -> None:
    parameters = [*operation.parameters, *callback_parameters(operation)]
    for parameter in parameters:
        if "example" in parameter:
            check(parameter["example"], parameter["schema"])
    for example in operation.form.get("examples", {}).values():
        check(example["value"], operation.form["schema"], strictly=True)
    if operation.form:
        assert operation.form["examples"]


def callback_parameters(operation: Operation) -> list[dict[str, Any]]:
    callback = operation.described.get("callbacks", {}).get("answer", {})
    return [parameter for each in callback.values() for parameter in each["get"]["parameters"]]


def test_every_operation_says_what_it_is_and_what_it_asks_for() -> None:
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    schemes = set(DOCUMENT["components"]["securitySchemes"])
    for operation in OPERATIONS.values():
        described = operation.described
        assert described["summary"]
        assert described["description"]
        assert set(described["tags"]) <= tags
        assert {name for alternative in described["security"] for name in alternative} <= schemes
    assert len(OPERATIONS) == sum(map(len, DOCUMENT["paths"].values())), "an operationId is used twice"


def test_references_lead_somewhere_and_nothing_is_left_over() -> None:
    named = {
        f"#/components/{section}/{name}"
        for section, parts in DOCUMENT["components"].items()
        for name in parts
    }
    used = set(references_in(DOCUMENT))
    assert used <= named
    assert {each for each in named - used if "/securitySchemes/" not in each} == set()


def references_in(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for each in part for found in references_in(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if "$ref" in part else []
    return own + [found for each in part.values() for found in references_in(each)]


def test_what_grows_with_the_code_is_in_the_document() -> None:
    form = OPERATIONS["requestToken"].form["schema"]["properties"]
    assert form["grant_type"]["enum"] == list(GRANTS)
    parameters = {name for grant in GRANTS.values() for name in (*grant.required, *grant.optional)}
    assert form.keys() == parameters | CREDENTIALS.keys() | {"grant_type", "resource"}
    equipment = resolved({"$ref": "#/components/schemas/Equipment"})["properties"]
    assert list(equipment) == ["EquipmentHeader", *(element.name for element in ELEMENTS)]
    documents = resolved({"$ref": "#/components/schemas/Series"})["oneOf"]
    assert [resolved(each)["xml"]["name"] for each in documents] == [series.root for series in SERIES]
