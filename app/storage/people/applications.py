"""Applications, their secrets and their logos."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.oauth.client import Client, ClientSecret
from app.oauth.description import Description
from app.storage.postgres.database import Row, Statements, Transaction

_COLUMNS = """
    a.id, a.kind, a.public, a.name, a.company, a.status, a.grants, a.scope, a.redirect_uris, a.audience,
    a.customer_id, a.logo_digest, a.created_at, a.jwks, a.former_client_id, a.live_at, a.terms_uri, a.privacy_uri,
    coalesce((SELECT array_agg(s.digest ORDER BY s.slot) FROM client_secret s WHERE s.application_id = a.id), '{}') AS secret_digests,
    coalesce((SELECT array_agg(s.slow_hash ORDER BY s.slot) FROM client_secret s WHERE s.application_id = a.id), '{}') AS slow_hashes,
    coalesce((SELECT array_agg(s.expires_at ORDER BY s.slot) FROM client_secret s WHERE s.application_id = a.id), '{}') AS secret_expiries
"""


@dataclass(frozen=True, slots=True)
class Application:
    """A registered application: the client the rules see, and what pages and lists show of it.

    live_at: since when it may meet real customers; None in test mode.
    """

    client: Client
    logo_digest: bytes | None
    created_at: datetime
    live_at: datetime | None = None
    terms_uri: str | None = None
    privacy_uri: str | None = None

    @property
    def description(self) -> Description:
        """What customers recognise it by."""
        client = self.client
        return Description(
            client.name,
            client.company,
            self.logo_digest,
            client.redirect_uris,
            client.scope,
            self.terms_uri,
            self.privacy_uri,
        )


SELECT_APPLICATIONS = f"""
SELECT {_COLUMNS}
FROM unnest($1::uuid[]) AS asked(id) JOIN application a ON a.id = asked.id
"""


async def select_applications(statements: Statements, ids: Sequence[UUID]) -> dict[UUID, Application]:
    rows = await statements.rows(SELECT_APPLICATIONS, list(set(ids)))
    return {row["id"]: _application(row) for row in rows}


# FOR NO KEY UPDATE: tokens are issued meanwhile.
SELECT_APPLICATION_LOCKED = f"""
SELECT {_COLUMNS} FROM application a WHERE a.id = $1 FOR NO KEY UPDATE OF a
"""


async def select_application_locked(transaction: Transaction, application_id: UUID) -> Application | None:
    """It stays as it is until the transaction ends."""
    row = await transaction.row(SELECT_APPLICATION_LOCKED, application_id)
    return _application(row) if row else None


SELECT_ALL_APPLICATIONS = f"""
SELECT {_COLUMNS}
FROM application a WHERE a.status <> 'deleted' ORDER BY a.id
"""


async def select_all_applications(statements: Statements) -> tuple[Application, ...]:
    return tuple(_application(row) for row in await statements.rows(SELECT_ALL_APPLICATIONS))


INSERT_APPLICATION = """
INSERT INTO application
    (id, kind, public, name, company, status, grants, scope, redirect_uris, audience, customer_id, logo_digest, jwks,
     former_client_id, live_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::jsonb, $14, CASE WHEN NOT $15 THEN clock_timestamp() END)
"""


async def insert_application(statements: Statements, client: Client, logo_digest: bytes | None) -> None:
    await statements.count(INSERT_APPLICATION, *columns_of(client, logo_digest))


def columns_of(client: Client, logo_digest: bytes | None) -> tuple[object, ...]:
    """What is inserted of an application, in the order of its statement."""
    return (
        client.id,
        client.kind,
        client.public,
        client.name,
        client.company,
        client.status,
        sorted(client.grants),
        " ".join(client.scope),
        list(client.redirect_uris),
        client.audience,
        client.customer_id,
        logo_digest,
        client.jwks,
        client.former_client_id,
        client.test,
    )


COUNT_APPLICATIONS = "SELECT count(*) AS applications FROM application"


async def count_applications(statements: Statements) -> int:
    row = await statements.row(COUNT_APPLICATIONS)
    return int(row["applications"]) if row else 0


UPDATE_REDIRECT_URIS = "UPDATE application SET redirect_uris = $2 WHERE id = $1"


async def update_redirect_uris(
    statements: Statements, application_id: UUID, redirect_uris: Sequence[str]
) -> bool:
    return bool(await statements.count(UPDATE_REDIRECT_URIS, application_id, list(redirect_uris)))


INSERT_CLIENT_SECRET = """
INSERT INTO client_secret (application_id, slot, digest, slow_hash) VALUES ($1, $2, $3, $4)
"""


async def insert_client_secret(
    statements: Statements,
    application_id: UUID,
    *,
    slot: int,
    digest: bytes | None,
    slow_hash: str | None = None,
) -> None:
    """slow_hash: what a former system kept, in the place of the digest."""
    await statements.count(INSERT_CLIENT_SECRET, application_id, slot, digest, slow_hash)


def _application(row: Row) -> Application:
    secrets = zip(row["secret_digests"], row["secret_expiries"], row["slow_hashes"], strict=True)
    client = Client(
        id=row["id"],
        kind=row["kind"],
        public=row["public"],
        name=row["name"],
        company=row["company"],
        status=row["status"],
        grants=frozenset(row["grants"]),
        scope=tuple(row["scope"].split()),
        redirect_uris=tuple(row["redirect_uris"]),
        audience=row["audience"],
        customer_id=row["customer_id"],
        secrets=tuple(ClientSecret(*secret) for secret in secrets),
        jwks=row["jwks"],
        former_client_id=row["former_client_id"],
        test=row["live_at"] is None,
    )
    return Application(
        client,
        row["logo_digest"],
        row["created_at"],
        row["live_at"],
        row["terms_uri"],
        row["privacy_uri"],
    )
