"""Import applications of a former system: each keeps its client_id, and the secret of which a digest is brought."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hmac import compare_digest
from typing import ClassVar
from uuid import UUID

from app.context import Context
from app.flows.moving.fields import Fields, LineError, customer_of
from app.flows.moving.move_in import NOBODY, Move, Moved, Numbered, Verdict, Watcher
from app.flows.token.grants import GRANTS
from app.oauth.actor import Actor
from app.oauth.client import Client, ClientKind, application_id_of
from app.oauth.registration import check_registration, default_grants
from app.oauth.slow_hash import read_slow_hash
from app.storage.people.applications import insert_client_secret, select_applications
from app.storage.people.audit import AuditEvent, insert_audit_event
from app.storage.people.moving import insert_former_application, select_former_customer
from app.storage.postgres.database import Transaction
from app.storage.token.connections import connect

_KINDS: dict[str, ClientKind] = {"classic": "classic", "strict": "strict"}
_NIL = UUID(int=0)  # which stands for nobody here


async def import_applications(
    context: Context,
    actor: Actor,
    lines: Iterable[bytes],
    watcher: Watcher = NOBODY,
    *,
    dry_run: bool = False,
) -> Moved:
    mover = _Applications(actor, development=context.policy.development)
    return await Move(context, mover, watcher, dry_run).run(lines)


@dataclass(frozen=True, slots=True)
class _Application:
    """customer: e-mail address or former id of the one that it acts for by itself."""

    client: Client
    client_id: str
    customer: tuple[str | None, str | None]
    digest: bytes | None = field(repr=False)
    slow_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Applications:
    actor: Actor
    development: bool
    fields: ClassVar[frozenset[str]] = frozenset(
        (
            *(
                "client_id",
                "name",
                "company",
                "secret_sha256",
                "secret_hash",
                "redirect_uris",
                "kind",
                "public",
            ),
            *("scope", "grants", "customer_email", "customer_former_id"),
        )
    )

    def read(self, fields: Fields) -> _Application:
        """Raises RefusedError when the line is not kept."""
        client_id = fields.required("client_id")
        application_id = application_id_of(client_id)
        if application_id is None or application_id == _NIL:
            raise LineError("client_id: 1 to 255 visible ASCII characters, and not the nil UUID")
        digest, slow_hash = _secret_of(fields)
        client = check_registration(
            _client(fields, application_id, client_id), GRANTS.values(), development=self.development
        )
        return _Application(client, client_id, customer_of(fields), digest, slow_hash)

    async def store(self, transaction: Transaction, items: Sequence[Numbered[_Application]]) -> list[Verdict]:
        return [await self._store_one(transaction, each.item) for each in items]

    async def _store_one(self, transaction: Transaction, asked: _Application) -> Verdict:
        client = asked.client
        email, former_id = asked.customer
        if email is not None or former_id is not None:
            found = await select_former_customer(transaction, email=email, former_id=former_id)
            customer_id = found.by_email or found.by_former_id
            if customer_id is None:
                return LineError(f"no customer is called {email or former_id}")
            client = replace(client, customer_id=customer_id)
        if not await insert_former_application(transaction, client):
            return await _judge_standing(transaction, asked)
        if not client.public:
            await insert_client_secret(
                transaction, client.id, slot=1, digest=asked.digest, slow_hash=asked.slow_hash
            )
        if client.customer_id is not None:
            await connect(
                transaction, client.customer_id, client.id, route="client_credentials", approved_by=None
            )
        await insert_audit_event(
            transaction, AuditEvent("application.imported", self.actor, application_id=client.id)
        )
        return "imported"


def _client(fields: Fields, application_id: UUID, client_id: str) -> Client:
    kind, public = _KINDS.get(fields.text("kind") or "classic"), fields.flag("public")
    if kind is None:
        raise LineError("kind: classic or strict")
    kind = "strict" if public else kind
    return Client(
        id=application_id,
        kind=kind,
        public=public,
        name=fields.required("name"),
        company=fields.required("company"),
        status="active",
        grants=frozenset(fields.texts("grants")) or default_grants(kind, GRANTS.values()),
        scope=tuple((fields.text("scope") or "").split()),
        redirect_uris=fields.texts("redirect_uris"),
        audience=None,
        # Checked for whether it may act for one at all; which one that is, the store knows.
        customer_id=_NIL if customer_of(fields) != (None, None) else None,
        secrets=(),
        former_client_id=client_id,
    )


def _secret_of(fields: Fields) -> tuple[bytes | None, str | None]:
    """Its digest or its slow hash: one of them for all but public applications."""
    digest, slow_hash = fields.digest("secret_sha256"), fields.text("secret_hash")
    if fields.flag("public"):
        if digest is not None or slow_hash is not None:
            raise LineError("a public application has no secret")
    elif (digest is None) == (slow_hash is None):
        raise LineError("secret_sha256 or secret_hash: one of them is needed")
    if slow_hash is not None:
        read_slow_hash(slow_hash)
    return digest, slow_hash


async def _judge_standing(transaction: Transaction, asked: _Application) -> Verdict:
    """Whether the application that has the id is the one of the line, with the secret that the line brings."""
    standing = (await select_applications(transaction, [asked.client.id]))[asked.client.id].client
    if standing.former_client_id != asked.client_id:
        return LineError(f"client_id {asked.client_id}: an application that was registered here has it")
    if standing.status == "deleted":
        return LineError(
            f"client_id {asked.client_id}: the application was deleted here, and its id is never used again"
        )
    digests = [secret.digest for secret in standing.secrets if secret.digest is not None]
    if asked.digest is not None and not any(compare_digest(asked.digest, each) for each in digests):
        return LineError(
            f"client_id {asked.client_id}: the application stands here with another secret, which is kept"
        )
    return "known"
