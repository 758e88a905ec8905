"""Discovery and health: documents that name what exists, and answers that tell the truth about the stores."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from app.context import Context
from app.flows.account.register_application import register_application
from app.oauth.actor import COMMAND_LINE
from app.storage.postgres.database import open_database
from tests.support.assertions import fresh, register_keyed
from tests.support.browser import ORIGIN, Browser
from tests.support.people import World
from tests.web.services import Services, unreachable_database
from tests.web.told import challenge_of

SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
RESOURCE = "/.well-known/oauth-protected-resource/api"


async def test_every_advertised_endpoint_exists(browser: Browser) -> None:
    """O-109, O-110, O-112, O-113, O-114, O-115, O-117, O-118, O-128, O-129: walked, not read."""
    answer = await browser.get(SERVER)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    document = answer.json()
    assert document["issuer"] == ORIGIN
    endpoints = {name: value for name, value in document.items() if name.endswith("_endpoint")}
    assert set(endpoints) == {
        "authorization_endpoint",
        "token_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
    }
    for name, address in endpoints.items():
        assert address.startswith(ORIGIN)
        found = await browser.http.request("GET" if name.startswith("authorization") else "POST", address)
        assert found.status_code in (400, 415), f"{name}: {found.status_code}"
    assert [name for name, value in document.items() if value in ([], "", None)] == []
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["grant_types_supported"] == ["authorization_code", "refresh_token", "client_credentials"]
    assert "none" in document["token_endpoint_auth_methods_supported"]
    assert "none" in document["revocation_endpoint_auth_methods_supported"]
    assert not {"implicit", "password"} & set(document["grant_types_supported"])
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]


async def test_every_listed_way_to_authenticate_works_where_it_is_listed(
    browser: Browser, context: Context
) -> None:
    """O-114, O-116, O-118, O-134: and nowhere is one left out that works."""
    document = (await browser.get(SERVER)).json()
    for name in ("token", "introspection", "revocation"):
        working = set()
        for method, sent in (await ways_to_authenticate(context)).items():
            data = {"token": "x", "grant_type": "client_credentials", **sent.get("data", {})}
            answer = await browser.http.post(document[f"{name}_endpoint"], **{**sent, "data": data})
            if answer.status_code != 401:
                working.add(method)
        assert working == set(document[f"{name}_endpoint_auth_methods_supported"])
        algorithms = document[f"{name}_endpoint_auth_signing_alg_values_supported"]
        assert not [each for each in algorithms if each == "none" or each.startswith("HS")]


async def test_openid_libraries_find_the_same_metadata_and_no_openid_provider(browser: Browser) -> None:
    """O-109, O-110, O-118: RFC 8414 section 5. Five libraries look only there; the first of Spring's three looks is there too."""
    answer = await browser.get(OPENID)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    document = answer.json()
    # Spring's parser (Nimbus) refuses a document without these, and would not look elsewhere then.
    assert document["issuer"] == ORIGIN
    assert document["subject_types_supported"] == ["public"]
    assert (await browser.get(document["jwks_uri"])).status_code == 200
    assert not [
        name for name in document if name.startswith(("id_token", "userinfo", "claim", "end_session"))
    ]
    assert "openid" not in document["scopes_supported"]
    del document["subject_types_supported"]
    assert document == (await browser.get(SERVER)).json()


async def ways_to_authenticate(context: Context) -> dict[str, dict[str, Any]]:
    """The proof that a request is sent with, by the names of RFC 7591."""
    world, keyed = await World.make(context), await register_keyed(context)
    public = await register_application(
        context, COMMAND_LINE, name="Phone", company="Sitewise Ltd", public=True
    )
    return {
        "client_secret_basic": {"auth": (world.client_id, world.client_secret)},
        "client_secret_post": {"data": {"client_id": world.client_id, "client_secret": world.client_secret}},
        "private_key_jwt": {"data": fresh(keyed)},
        "none": {"data": {"client_id": str(public.client.id)}},
    }


async def test_the_resource_names_its_server(browser: Browser) -> None:
    """O-153."""
    document = (await browser.get(RESOURCE)).json()
    assert document["resource"] == f"{ORIGIN}/api"
    assert document["authorization_servers"] == [ORIGIN]
    assert document["scopes_supported"] == ["account:read", "aemp:read", "telemetry:write"]
    assert document["bearer_methods_supported"] == ["header"]


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/",
        "/.well-known/oauth-protected-resource/api/v2/Fleet/1",
        "/.well-known/oauth-protected-resource/app",
        "/.well-known/oauth-authorization-server/api",
    ],
)
async def test_metadata_is_served_only_where_the_name_it_holds_puts_it(path: str, browser: Browser) -> None:
    """O-153: RFC 9728 section 3.3, RFC 8414 section 3.3. A client must refuse what names another than it asked for."""
    answer = await browser.get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "invalid_request")


async def test_the_challenge_leads_to_metadata_of_the_address_it_was_asked_at(browser: Browser) -> None:
    """O-153: the resource is a beginning of the address, as RFC 9728 section 7.3 lets clients demand."""
    asked = f"{ORIGIN}/api/v2/Fleet/1"
    address = challenge_of(await browser.get(asked))["resource_metadata"]
    resource = (await browser.get(address)).json()["resource"]
    assert asked.startswith(f"{resource}/")
    parts = urlsplit(resource)
    assert address == f"{ORIGIN}/.well-known/oauth-protected-resource{parts.path}"


async def test_a_foreign_host_header_changes_no_address(browser: Browser) -> None:
    """R-78."""
    usual = await browser.get(SERVER)
    assert (
        await browser.get(SERVER, Host="evil.example", X_Forwarded_Host="evil.example")
    ).content == usual.content


async def test_ready_knows_degraded_from_unavailable(browser: Browser, services: Services) -> None:
    """R-87, R-90: alive in every case."""
    assert (await browser.get("/health/ready")).json() == {"status": "ok", "postgresql": "ok", "valkey": "ok"}
    async with Browser(services.without_valkey()) as degraded:
        answer = await degraded.get("/health/ready")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert (await degraded.get("/health/alive")).status_code == 200
    async with unreachable_database() as database, Browser(services.like(database=database)) as unavailable:
        answer = await unavailable.get("/health/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
        assert (await unavailable.get("/health/alive")).status_code == 200


async def test_an_unmigrated_database_is_told_from_one_that_is_down(
    services: Services, servers: tuple[str, str]
) -> None:
    database = await open_database(servers[0], connections=1)  # the cluster's own, which no test migrates
    async with Browser(services.like(database=database)) as browser:
        answer = await browser.get("/health/ready")
    await database.close()
    assert answer.status_code == 503
    assert answer.json()["postgresql"] == "no schema: run `rovitracker migrate up`"


async def test_version_names_the_version(browser: Browser) -> None:
    assert set((await browser.get("/version")).json()) == {"version", "python", "schema"}


async def test_issuer_is_an_https_origin_and_everything_lies_under_it(services: Services) -> None:
    """O-109, O-111, O-112, O-113, O-115, O-120: as it is set, whatever the request was sent to."""
    issuer = "https://auth.rovitracker.example"
    async with Browser(services.under(issuer=issuer), base_url="https://elsewhere.example") as browser:
        document = (await browser.get(SERVER)).json()
    assert document["issuer"] == issuer
    assert urlsplit(issuer)._replace(scheme="", netloc="").geturl() == ""
    addresses = [value for name, value in document.items() if name.endswith("_endpoint")]
    assert len(addresses) >= 4
    assert all(address.startswith(f"{issuer}/app/oauth2/") for address in addresses)
    assert document["service_documentation"] == f"{issuer}/docs"
    assert None not in document.values()
    assert document["code_challenge_methods_supported"] == ["S256"]
