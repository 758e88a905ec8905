"""Context: the stores, keys, policy and clock; all that a flow may touch."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from app.bounded import Bounded
from app.mail.outgoing import Outgoing
from app.mail.server import parse_sender
from app.oauth.keys import Keys, derive_keys
from app.oauth.request import TokenQuery, TokenRequest
from app.oauth.signing import SigningKey
from app.oauth.token_string import TokenString
from app.policy import Policy, policy_of
from app.process.background import Background
from app.process.credential_uses import CredentialUses
from app.process.pages import Pages
from app.process.passwords import Passwords
from app.process.read_before import ReadBefore
from app.process.reads import Reads
from app.process.recent import Recent
from app.process.refused_requests import RefusedRequests
from app.settings import Settings
from app.storage.distributed.session import CITUS
from app.storage.fleet.fleet import PageMap
from app.storage.fleet.series import Asked, Counted
from app.storage.fleet.unchanged import Unchanged
from app.storage.people.signing_keys import remember_signing_keys
from app.storage.postgres.changes import Changes
from app.storage.postgres.database import PLAIN, Database, open_database
from app.storage.postgres.gather import Bounds
from app.storage.postgres.remembered import Remembered
from app.storage.token.gathered import Gathered, gather_statements
from app.storage.token.tokens import StoredToken
from app.storage.valkey.valkey import Valkey
from app.stores import Stores, data_dir, secret_keys
from app.throttling.budgets import Budgets
from app.throttling.failures import Failures
from app.throttling.guesses import NetworkLevels

# How many readings a range has, for a reader who goes through its pages.
_COUNTS_S, _MOST_COUNTS = 60.0, 10_000
# How long a map that was pinned is not pinned again.
_PINNED_S, _MOST_PINNED = 300.0, 20_000
# Programs send the same bytes each time: as many of them as there are programs, or tokens that they ask about.
_MOST_REQUESTS, _MOST_QUERIES = 2_000, 20_000
_MAIL_DOMAIN = "rovitracker.example"  # of mails that nobody sends


@dataclass(frozen=True, slots=True, repr=False)
class Context:
    """The context of a process; flows take it as their first argument. No repr puts all that it remembers into words."""

    policy: Policy
    keys: Keys
    database: Database
    valkey: Valkey
    changes: Changes
    gathered: Gathered
    signing_keys: Remembered[UUID, tuple[SigningKey, ...]]
    failures: Failures
    network_levels: NetworkLevels
    budgets: Budgets
    counts: Recent[tuple[Asked, str], Counted]
    pinned: Recent[UUID, PageMap]
    pages: Pages
    unchanged: Unchanged
    token_requests: ReadBefore[TokenRequest]
    token_queries: ReadBefore[TokenQuery]
    descriptions: Bounded[UUID, tuple[StoredToken, bytes]]  # of tokens, by their ids
    bearers: Bounded[bytes, TokenString]  # live ones, by the digests of their Authorization headers
    passwords: Passwords
    background: Background
    reads: Reads
    refused_requests: RefusedRequests
    credential_uses: CredentialUses
    outgoing: Outgoing
    now: Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_context(settings: Settings, stores: Stores) -> AsyncIterator[Context]:
    policy = policy_of(settings)
    async with AsyncExitStack() as stack:
        database = await open_database(
            stores.database_url,
            connections=settings.limit_database_connections,
            role=stores.role,
            pooled=stores.pooled,
            dialect=CITUS if settings.distributed == "citus" else PLAIN,
        )
        stack.push_async_callback(database.close)
        passwords = Passwords(threads=settings.limit_password_checks)
        stack.callback(passwords.close)
        changes = Changes()
        stack.push_async_callback(changes.close)
        bounds = Bounds(queue=settings.limit_queue, wait_s=settings.limit_queue_wait.total_seconds())
        gathered = _gather(settings, policy, database, changes, bounds)
        stack.push_async_callback(gathered.close)
        unchanged = Unchanged(database, bounds)
        stack.push_async_callback(unchanged.close)
        valkey = Valkey(
            stores.redis_url, connections=settings.limit_redis_connections, most_waiting=settings.limit_queue
        )
        stack.push_async_callback(valkey.close)
        failures = Failures(a_minute=settings.limit_failures)
        background = Background()
        stack.push_async_callback(background.settle)
        keys = derive_keys(secret_keys(settings))
        signing_keys = remember_signing_keys(database, keys, changes)
        yield Context(
            policy,
            keys,
            database,
            valkey,
            changes,
            gathered,
            signing_keys,
            failures,
            NetworkLevels(),
            Budgets(a_minute=settings.limit_reads),
            Recent(keep_s=_COUNTS_S, most=_MOST_COUNTS),
            Recent(keep_s=_PINNED_S, most=_MOST_PINNED),
            Pages(changes, most_bytes=settings.limit_page_memory),
            unchanged,
            ReadBefore(TokenRequest.parse, most=_MOST_REQUESTS),
            ReadBefore(TokenQuery.parse, most=_MOST_QUERIES),
            Bounded(_most_tokens(settings)),
            Bounded(_MOST_QUERIES),
            passwords,
            background,
            Reads(),
            RefusedRequests(),
            CredentialUses(),
            _outgoing_of(settings),
            utc_now,
        )


def _gather(
    settings: Settings, policy: Policy, database: Database, changes: Changes, bounds: Bounds
) -> Gathered:
    return gather_statements(
        database,
        changes,
        bounds=bounds,
        most_tokens=_most_tokens(settings),
        audience=policy.audience,
        lifetimes=policy.lifetimes,
        legacy_until=policy.legacy_tokens_until,
    )


def _most_tokens(settings: Settings) -> int:
    """How many are remembered, and what is said of them."""
    return settings.limit_cached_tokens if settings.token_cache else 0


def _outgoing_of(settings: Settings) -> Outgoing:
    """Development without a mail server keeps mails as files; production keeps them waiting."""
    sender = settings.mail_from or f"RoviTracker <no-reply@{_MAIL_DOMAIN}>"
    keeps = settings.development and settings.smtp_url is None
    return Outgoing(
        server=settings.mail_server,
        sender=parse_sender(sender),
        folder=data_dir(settings) / "mail" if keeps else None,
    )
