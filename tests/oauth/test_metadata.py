"""Claims about the metadata documents."""

import json

from app.oauth.assertion import ALGORITHMS
from app.oauth.metadata import authorization_server, protected_resource

ISSUER = "https://auth.example"
ENDPOINTS = {
    "authorization_endpoint": "/app/oauth2/authorize",
    "token_endpoint": "/app/oauth2/token",
    "introspection_endpoint": "/app/oauth2/introspect",
    "revocation_endpoint": "/app/oauth2/revoke",
    "jwks_uri": "/app/oauth2/jwks",
}
PROVING = ["client_secret_basic", "client_secret_post", "private_key_jwt"]


def test_document_states_exactly_what_exists() -> None:
    """O-111, O-112, O-114, O-115, O-116, O-117, O-121, O-128, O-134, O-157."""
    assert authorization_server(
        ISSUER,
        endpoints=ENDPOINTS,
        grant_types=["authorization_code"],
        service_documentation="https://auth.example/docs",
    ) == {
        "issuer": "https://auth.example",
        "authorization_endpoint": "https://auth.example/app/oauth2/authorize",
        "token_endpoint": "https://auth.example/app/oauth2/token",
        "introspection_endpoint": "https://auth.example/app/oauth2/introspect",
        "revocation_endpoint": "https://auth.example/app/oauth2/revoke",
        "scopes_supported": ["account:read", "aemp:read", "telemetry:write"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "jwks_uri": "https://auth.example/app/oauth2/jwks",
        "token_endpoint_auth_methods_supported": [*PROVING, "none"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": PROVING,
        "introspection_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "introspection_signing_alg_values_supported": ["ES256"],
        "revocation_endpoint_auth_methods_supported": [*PROVING, "none"],
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "authorization_details_types_supported": ["fleet"],
        "service_documentation": "https://auth.example/docs",
    }


def test_public_clients_are_named_everywhere_but_at_introspection() -> None:
    """O-99, O-114; O-116: algorithms are stated with private_key_jwt and not without."""
    document = authorization_server(
        ISSUER,
        endpoints=ENDPOINTS,
        grant_types=["authorization_code"],
        auth_methods=["client_secret_basic", "none"],
    )
    assert document["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "none"]
    assert document["revocation_endpoint_auth_methods_supported"] == ["client_secret_basic", "none"]
    assert document["introspection_endpoint_auth_methods_supported"] == ["client_secret_basic"]
    assert not [name for name in document if name.endswith("_auth_signing_alg_values_supported")]


def test_endpoint_that_does_not_exist_leaves_nothing_behind() -> None:
    """O-113, O-118."""
    two = {name: ENDPOINTS[name] for name in ("authorization_endpoint", "token_endpoint")}
    text = json.dumps(authorization_server(ISSUER, endpoints=two, grant_types=["authorization_code"]))
    assert "introspection" not in text
    assert "revocation" not in text
    assert "documentation" not in text
    assert "null" not in text


def test_resource_names_its_authorization_server() -> None:
    """O-153."""
    assert protected_resource("https://auth.example/api", issuer=ISSUER) == {
        "resource": "https://auth.example/api",
        "authorization_servers": ["https://auth.example"],
        "scopes_supported": ["account:read", "aemp:read", "telemetry:write"],
        "bearer_methods_supported": ["header"],
        "authorization_details_types_supported": ["fleet"],
        "resource_name": "RoviTracker AEMP telematics",
    }
    documented = protected_resource(
        "https://a.example", issuer=ISSUER, resource_documentation="https://a.example/docs"
    )
    assert documented["resource_documentation"] == "https://a.example/docs"
