"""What the service says about itself: RFC 8414 for the authorization server, RFC 9728 for the API."""

from collections.abc import Mapping, Sequence

from app.oauth.scope import KNOWN_SCOPES

SECRET_METHODS = ("client_secret_basic", "client_secret_post")


def authorization_server(
    issuer: str,
    *,
    endpoints: Mapping[str, str],
    grant_types: Sequence[str],
    auth_methods: Sequence[str] = SECRET_METHODS,
    service_documentation: str | None = None,
) -> dict[str, object]:
    """Metadata of exactly what exists: `endpoints` maps member names such as `token_endpoint` to their paths."""
    members: dict[str, object] = {
        "issuer": issuer,
        **{member: issuer + path for member, path in endpoints.items()},
        "scopes_supported": sorted(KNOWN_SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        # Left out, the next two would claim the implicit grant and Basic alone (RFC 8414 section 2).
        "grant_types_supported": list(grant_types),
        "token_endpoint_auth_methods_supported": list(auth_methods),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
    if "revocation_endpoint" in endpoints:
        members["revocation_endpoint_auth_methods_supported"] = list(auth_methods)
    if "introspection_endpoint" in endpoints:
        # Whoever cannot prove who it is must not scan for tokens (RFC 7662 section 4).
        members["introspection_endpoint_auth_methods_supported"] = [
            method for method in auth_methods if method != "none"
        ]
    if service_documentation is not None:
        members["service_documentation"] = service_documentation
    return members


def protected_resource(
    resource: str, *, issuer: str, resource_documentation: str | None = None
) -> dict[str, object]:
    """Metadata of the AEMP API; `resource` is the audience its tokens carry."""
    members: dict[str, object] = {
        "resource": resource,
        "authorization_servers": [issuer],
        "scopes_supported": sorted(KNOWN_SCOPES),
        "bearer_methods_supported": ["header"],
        "resource_name": "RoviTracker AEMP telematics",
    }
    if resource_documentation is not None:
        members["resource_documentation"] = resource_documentation
    return members
