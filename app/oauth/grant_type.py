"""A grant type as the rules see it: what its requests carry, and which applications may be registered for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.oauth.client import Client, ClientKind
from app.oauth.errors import invalid_request, invalid_target, unauthorized_client
from app.oauth.fleet_details import PARAMETER, refuse_at_token
from app.oauth.refused_grant import refuse
from app.oauth.request import TokenRequest
from app.oauth.scope import parse as parse_scope
from app.oauth.token_string import TokenKind, TokenString, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantType:
    """One way to a token (RFC 6749 section 1.3), as registration, metadata and reference tell of it.

    name: the value of `grant_type`; required, optional: parameters of its request beside those of every request;
    spends: the kind of token that the first required one is, spent or looked up by the grant;
    default_for: kinds of application that have it unless they are registered otherwise;
    redirects: a browser comes back to the application, so that redirect URIs belong to it;
    refreshable: a refresh token comes with its tokens; strict_only, confidential_only: who may have it;
    continues: it goes on with what was granted before, which scope and resource are compared with;
    acts_alone: its tokens act for the application's own customer; always_short: as a strict application's, for all.
    """

    name: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    spends: TokenKind | None = None
    default_for: tuple[ClientKind, ...] = ()
    redirects: bool = False
    refreshable: bool = False
    continues: bool = False
    strict_only: bool = False
    confidential_only: bool = False
    acts_alone: bool = False
    always_short: bool = False


@dataclass(slots=True)
class Asked:
    """All that a grant sees of a request: its parameters, a scope in canonical form, a resource of ours."""

    parameters: Mapping[str, str]
    spent: TokenString | None
    scope: str | None
    resource: str | None


def name_of_grant(request: TokenRequest, *, strict: bool) -> str:
    """The grant type asked for; the documented classic request sends a code alone and means authorization_code.

    Raises invalid_request when it is missing otherwise, or when the documented request forgot its code.
    """
    if request.grant_type is not None:
        return request.grant_type
    if strict or "refresh_token" in request.parameters:
        raise invalid_request("grant_type is missing")
    if "code" not in request.parameters:
        raise invalid_request("code is missing: a request without grant_type has one")
    return "authorization_code"


def check_allowed(client: Client, grant: GrantType) -> None:
    """RFC 6749 section 5.2. Raises unauthorized_client when the application may not use this grant."""
    if not client.allows(grant.name):
        raise unauthorized_client("this application was not registered for this grant type")
    if grant.confidential_only and client.public:  # whoever knows the client_id would be the application
        raise unauthorized_client("public applications have no credentials to act by")


def read_asked(grant: GrantType, request: TokenRequest, *, served: str, proved: bool) -> Asked:
    """What is asked for, before anything is taken or any store asked.

    proved: whether the caller is known to be the application, so that it may be told more.
    Raises invalid_request, invalid_target, invalid_scope or invalid_authorization_details, and invalid_grant for what
    is no token of ours.
    """
    if PARAMETER in request.parameters:
        raise refuse_at_token()
    for name in grant.required:
        if name not in request.parameters:
            raise invalid_request(f"{name} is missing")
    if not grant.continues:
        check_resource(request.resource, served=served)
    spent = None
    if grant.spends:
        spent = _read_spent(grant.spends, request.parameters[grant.required[0]], proved=proved)
    scope = request.scope if "scope" in grant.optional else None
    if scope is not None:
        scope = " ".join(parse_scope(scope))
    return Asked(request.parameters, spent, scope, request.resource)


def _read_spent(kind: TokenKind, unverified: str, *, proved: bool) -> TokenString:
    token = parse(unverified)
    if token is None or token.kind != kind:
        raise refuse(kind, "unknown", proved=proved, detail="it is none of ours: no store was asked")
    return token


def check_resource(resource: str | None, *, served: str) -> None:
    """RFC 8707 section 2: there is one audience to ask for. Raises invalid_target for another."""
    if resource not in (None, served):
        raise invalid_target()
