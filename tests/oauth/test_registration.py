"""Claims about what an application may be registered as: each rule alone, and the canonical form of what passes."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.flows.token.grants import GRANTS
from app.oauth.client import Client, ClientKind
from app.oauth.redirect_uri import RedirectUriError
from app.oauth.registration import RegistrationError, check_registration, default_grants

CODES = Client(
    id=UUID("01932f2c-5a6b-7def-8123-456789abcdef"),
    kind="classic",
    public=False,
    name="Fleet Watch",
    company="Digger & Sons",
    status="active",
    grants=frozenset({"authorization_code"}),
    scope=("aemp:read",),
    redirect_uris=("https://app.example.com/cb",),
    audience=None,
    customer_id=None,
    secrets=(),
)
ROBOT = replace(CODES, grants=frozenset({"client_credentials"}), redirect_uris=())
STRICT = replace(CODES, kind="strict", grants=frozenset({"authorization_code", "refresh_token"}))
PUBLIC = replace(STRICT, public=True)
KINDS: tuple[ClientKind, ...] = ("classic", "strict")
SOMEBODY = UUID("01932f2c-5a6b-7def-8123-000000000001")


def refusal(client: Client, *, development: bool = False) -> str:
    with pytest.raises((RegistrationError, RedirectUriError)) as refused:
        check_registration(client, GRANTS.values(), development=development)
    return str(refused.value)


@pytest.mark.parametrize(
    "client",
    [
        CODES,
        ROBOT,
        STRICT,
        PUBLIC,
        replace(ROBOT, customer_id=SOMEBODY),
        replace(CODES, grants=frozenset({"authorization_code", "client_credentials"}), customer_id=SOMEBODY),
        replace(CODES, redirect_uris=()),  # it can be told its address later
        replace(CODES, audience="https://api.example.com"),
        replace(CODES, audience="urn:example:api"),
    ],
    ids=["codes", "robot", "strict", "public", "robot of somebody", "both", "no address yet", "api", "urn"],
)
def test_what_may_be_registered_is_registered_unchanged(client: Client) -> None:
    assert check_registration(client, GRANTS.values(), development=False) == client


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (replace(CODES, grants=frozenset({"password"})), "grant 'password' is not known"),
        (replace(CODES, grants=frozenset({"implicit"})), "grant 'implicit' is not known"),
        (replace(CODES, grants=frozenset({"authorisation_code"})), "did you mean authorization_code?"),
        (replace(PUBLIC, grants=frozenset({"client_credentials"}), redirect_uris=()), "no secret to act by"),
        (
            replace(CODES, grants=frozenset({"authorization_code", "refresh_token"})),
            "for strict applications",
        ),
        (
            replace(STRICT, grants=frozenset({"refresh_token"}), redirect_uris=()),
            "authorization_code is needed",
        ),
        (replace(CODES, customer_id=SOMEBODY), "client_credentials grant only"),
        (replace(ROBOT, redirect_uris=CODES.redirect_uris), "redirect URIs are for the authorization_code"),
        (replace(CODES, scope=("aemp:read", "aemp:raed")), "did you mean aemp:read?"),
        (replace(CODES, scope=("everything",)), "there are: account:read, aemp:read"),
        (replace(PUBLIC, audience="https://api.example.com"), "cannot be public"),
        (replace(CODES, audience="https://api.example.com/#"), "without fragment"),
        (replace(CODES, audience="api.example.com"), "absolute URI"),
        (replace(CODES, audience="https:"), "absolute URI"),
        (replace(CODES, audience="https://api.example.com/ä"), "percent-encoded"),
        (replace(CODES, audience="https://api.example.com/a b"), "percent-encoded"),
        (replace(CODES, name=""), "name: 1 to 120"),
        (replace(CODES, company="x\u202ey"), "company: contains the invisible character U+202E"),
        (replace(CODES, redirect_uris=("http://127.0.0.1/cb",)), "must use https"),
        (replace(CODES, redirect_uris=tuple(f"https://a.example/{n}" for n in range(21))), "at most 20"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_may_not_be_registered_is_refused_by_name(client: Client, told: str) -> None:
    """O-59, O-124, O-129, O-154, R-48."""
    assert told in refusal(client)


def test_loopback_address_of_a_confidential_application_is_for_development_only() -> None:
    """`rovitracker flow code` listens on one."""
    local = replace(CODES, redirect_uris=("http://127.0.0.1:8400/callback",))
    assert check_registration(local, GRANTS.values(), development=True) == local
    assert "must use https" in refusal(local)


def test_scopes_and_addresses_are_stored_once_each() -> None:
    twice = replace(
        CODES, scope=("aemp:read", "aemp:read"), redirect_uris=CODES.redirect_uris * 2, name="  Fleet Watch "
    )
    assert check_registration(twice, GRANTS.values(), development=False) == CODES


def test_an_application_that_names_no_scope_gets_the_default() -> None:
    """O-19."""
    assert check_registration(replace(CODES, scope=()), GRANTS.values(), development=False).scope == (
        "aemp:read",
    )


def test_only_strict_applications_refresh_by_default() -> None:
    assert default_grants("classic", GRANTS.values()) == {"authorization_code"}
    assert default_grants("strict", GRANTS.values()) == {"authorization_code", "refresh_token"}


def test_keys_are_for_strict_applications_that_keep_a_secret_otherwise() -> None:
    """O-134, O-150."""
    jwks = '{"keys": []}'
    assert check_registration(replace(STRICT, jwks=jwks), GRANTS.values(), development=False).jwks == jwks
    assert "strict applications only" in refusal(replace(CODES, jwks=jwks))
    assert "public" in refusal(replace(PUBLIC, jwks=jwks))


@given(
    grants=st.sets(st.sampled_from(sorted(GRANTS)), min_size=1),
    kind=st.sampled_from(KINDS),
    public=st.booleans(),
    owned=st.booleans(),
)
def test_no_combination_gives_a_secretless_or_orphaned_grant(
    *, grants: set[str], kind: ClientKind, public: bool, owned: bool
) -> None:
    """O-59: whatever passes can prove who it is for client_credentials, and refreshes only what a code began."""
    asked = replace(
        CODES,
        kind=kind,
        public=public,
        grants=frozenset(grants),
        redirect_uris=(),
        customer_id=SOMEBODY if owned else None,
    )
    try:
        client = check_registration(asked, GRANTS.values(), development=False)
    except RegistrationError:
        client = None
    wanted = (
        not (public and "client_credentials" in grants)
        and not ("refresh_token" in grants and (kind == "classic" or "authorization_code" not in grants))
        and not (owned and "client_credentials" not in grants)
    )
    assert (client is not None) == wanted
