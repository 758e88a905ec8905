"""The metadata that the service publishes: RFC 8414 for the authorization server, RFC 9728 for the API."""

from collections.abc import Mapping, Sequence

from app.oauth.assertion import ALGORITHMS
from app.oauth.fleet_details import TYPE as DETAILS_TYPE
from app.oauth.scope import offered_scopes
from app.oauth.signing import ALGORITHM

AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")


def authorization_server(
    issuer: str,
    *,
    endpoints: Mapping[str, str],
    grant_types: Sequence[str],
    auth_methods: Sequence[str] = AUTH_METHODS,
    service_documentation: str | None = None,
) -> dict[str, object]:
    """Metadata of exactly what exists: `endpoints` maps members such as `token_endpoint` or `jwks_uri` to their paths."""
    # A caller that cannot authenticate must not scan for tokens (RFC 7662 section 4).
    proving_methods = [method for method in auth_methods if method != "none"]
    members: dict[str, object] = {
        "issuer": issuer,
        **{member: issuer + path for member, path in endpoints.items()},
        "scopes_supported": list(offered_scopes()),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        # Left out, the next two would claim the implicit grant and Basic alone (RFC 8414 section 2).
        "grant_types_supported": list(grant_types),
        **_authentication("token", auth_methods),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "authorization_details_types_supported": [DETAILS_TYPE],  # RFC 9396 section 10
    }
    if "revocation_endpoint" in endpoints:
        members |= _authentication("revocation", auth_methods)
    if "introspection_endpoint" in endpoints:
        members |= _authentication("introspection", proving_methods)
        members["introspection_signing_alg_values_supported"] = [ALGORITHM]  # RFC 9701 section 7
    if service_documentation is not None:
        members["service_documentation"] = service_documentation
    return members


def _authentication(endpoint: str, methods: Sequence[str]) -> dict[str, object]:
    """RFC 8414 section 2: the algorithms are stated where assertions are accepted, and nowhere else."""
    members: dict[str, object] = {f"{endpoint}_endpoint_auth_methods_supported": list(methods)}
    if "private_key_jwt" in methods:
        members[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = list(ALGORITHMS)
    return members


def protected_resource(
    resource: str, *, issuer: str, resource_documentation: str | None = None
) -> dict[str, object]:
    """Metadata of the AEMP API; `resource` is the audience its tokens carry."""
    members: dict[str, object] = {
        "resource": resource,
        "authorization_servers": [issuer],
        "scopes_supported": list(offered_scopes()),
        "bearer_methods_supported": ["header"],
        "authorization_details_types_supported": [DETAILS_TYPE],
        "resource_name": "RoviTracker AEMP telematics",
    }
    if resource_documentation is not None:
        members["resource_documentation"] = resource_documentation
    return members
