"""Register an application: who makes it, what it looks like, where its customers' browsers may return to."""

from dataclasses import dataclass, field
from uuid import UUID

from app.context import Context
from app.flows.account.connect_own import connect_own_customer
from app.flows.account.read_logo import read_logo
from app.flows.token.grants import GRANTS
from app.oauth.actor import Actor
from app.oauth.assertion import key_digests
from app.oauth.client import Client, ClientKind
from app.oauth.client_keys import check_key_set
from app.oauth.registration import RegistrationError, check_registration, default_grants
from app.oauth.token_string import mint_client_secret, new_id, secret_digest
from app.storage.errors import StatementRefusedError
from app.storage.people.application_owners import insert_application_owner
from app.storage.people.applications import insert_application, insert_client_secret
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.client_keys import replace_client_keys
from app.storage.people.logos import Logo, insert_logo


@dataclass(frozen=True, slots=True)
class RegisteredApplication:
    """A new application. client_secret: shown only now; None for a public application and for one with keys."""

    client: Client
    client_secret: str | None = field(repr=False)


async def register_application(
    context: Context,
    actor: Actor,
    *,
    name: str,
    company: str,
    redirect_uris: tuple[str, ...] = (),
    scope: tuple[str, ...] = (),
    logo: bytes | None = None,
    kind: ClientKind = "classic",
    public: bool = False,
    grants: tuple[str, ...] = (),
    audience: str | None = None,
    customer_id: UUID | None = None,
    jwks: bytes | None = None,
    owner_id: UUID | None = None,
) -> RegisteredApplication:
    """Register an application that is active at once.

    owner_id: the person it belongs to; it begins in test mode then. Others meet real customers from now on.
    grants: those of its kind unless some are named. audience: makes it a resource server.
    customer_id: the customer its client_credentials tokens act for. jwks: the JWK Set of its public keys.
    Raises RegistrationError, RedirectUriError or LogoError when what it states is not accepted.
    """
    asked = Client(
        id=new_id(),
        kind="strict" if public else kind,
        public=public,
        name=name,
        company=company,
        status="active",
        grants=frozenset(grants) or default_grants("strict" if public else kind, GRANTS.values()),
        scope=scope,
        redirect_uris=redirect_uris,
        audience=audience,
        customer_id=customer_id,
        secrets=(),
        jwks=check_key_set(jwks) if jwks is not None else None,
        test=owner_id is not None,
    )
    client = check_registration(asked, GRANTS.values(), development=context.policy.development)
    read = await read_logo(logo) if logo is not None else None
    secret = None if public or client.jwks else mint_client_secret()
    try:
        await _store(context, actor, client, read, secret, owner_id=owner_id)
    except StatementRefusedError as refused:
        if not refused.key_is_taken:
            raise
        # That of the audience: ids and secrets are ours and new.
        raise RegistrationError(f"audience {audience!r}: another application has it") from refused
    return RegisteredApplication(client, secret)


async def _store(
    context: Context,
    actor: Actor,
    client: Client,
    logo: Logo | None,
    secret: str | None,
    *,
    owner_id: UUID | None,
) -> None:
    async with context.database.transaction() as transaction:
        if logo is not None:
            await insert_logo(transaction, logo)
        await insert_application(transaction, client, logo.digest if logo is not None else None)
        if owner_id is not None:
            await insert_application_owner(transaction, client.id, owner_id)
        if secret is not None:
            await insert_client_secret(transaction, client.id, slot=1, digest=secret_digest(secret))
        if client.jwks is not None:
            await replace_client_keys(transaction, client.id, key_digests(client.jwks))
        event_id = await insert_audit_event(
            transaction, AuditEvent("application.registered", actor, application_id=client.id)
        )
        if client.customer_id is not None:
            await connect_own_customer(
                context, transaction, actor, client.customer_id, client.id, event_id=event_id
            )
