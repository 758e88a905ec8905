"""GET /app/oauth2/jwks: what verifiers need, and nothing else."""

from datetime import timedelta

from joserfc.jwk import KeySet

from tests.support.browser import ORIGIN, Browser
from tests.web.services import Services

JWKS = "/app/oauth2/jwks"


async def test_published_set_is_public_and_may_be_kept(browser: Browser) -> None:
    """RFC 7517 section 8.5; any page may read it, like the metadata that names it."""
    answer = await browser.get(JWKS)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["access-control-allow-origin"] == "*"
    keys = answer.json()["keys"]
    assert keys
    for key in keys:
        assert set(key) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")
    for imported in KeySet.import_key_set(answer.json()):
        assert not imported.is_private
        assert imported.kid == imported.thumbprint()


async def test_metadata_leads_to_it(browser: Browser) -> None:
    """O-118."""
    document = (await browser.get("/.well-known/oauth-authorization-server")).json()
    assert document["jwks_uri"] == ORIGIN + JWKS
    assert document["introspection_signing_alg_values_supported"] == ["ES256"]


async def test_set_is_kept_for_half_of_what_a_new_key_waits(services: Services) -> None:
    """Whoever kept the set then fetches the new key before that signs."""
    async with Browser(services.under(signing_key_lead=timedelta(seconds=90))) as browser:
        assert (await browser.get(JWKS)).headers["cache-control"] == "public, max-age=45"


async def test_only_reading_is_offered(browser: Browser) -> None:
    answer = await browser.http.post(JWKS)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
