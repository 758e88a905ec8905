"""What the requests of the token path share: statements that go out together, and answers that are remembered."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.storage.applications import Application, select_applications
from app.storage.changes import Changes
from app.storage.client_tokens import ClientToken, insert_strict_tokens
from app.storage.database import Database
from app.storage.gather import Bounds, Gather
from app.storage.grants import Redemption, insert_grants_with_classic_tokens
from app.storage.remembered import Remembered
from app.storage.tokens import StoredToken, TokenClass, select_tokens

_APPLICATION_LIFE_S = 300.0
_TOKEN_LIFE_S = 60.0  # a renewal is not told: a token may seem to end this much too early
_MOST_APPLICATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Gathered:
    """Call one like a function: `await gathered.applications(id)`."""

    applications: Remembered[UUID, Application]
    classic_tokens: Remembered[UUID, StoredToken]
    strict_tokens: Remembered[UUID, StoredToken]
    redemptions: Gather[Redemption, bool]
    client_tokens: Gather[ClientToken, bool]
    close: Callable[[], Awaitable[None]]


def gather_statements(
    database: Database,
    changes: Changes,
    *,
    bounds: Bounds,
    most_tokens: int,
    audience: str,
    code_life: timedelta,
    classic_idle: timedelta,
    classic_absolute: timedelta,
    strict_access: timedelta,
) -> Gathered:
    """most_tokens: how many to remember; 0 asks for each. audience: of tokens that name none."""

    async def applications(ids: Sequence[UUID]) -> list[Application | None]:
        found = await select_applications(database, ids)
        return [found.get(each) for each in ids]

    async def redemptions(items: Sequence[Redemption]) -> list[bool]:
        inserted = await insert_grants_with_classic_tokens(
            database, items, code_life=code_life, idle=classic_idle, absolute=classic_absolute
        )
        return [item.token_id in inserted for item in items]

    async def client_tokens(items: Sequence[ClientToken]) -> list[bool]:
        inserted = await insert_strict_tokens(database, items, life=strict_access)
        return [item.id in inserted for item in items]

    def tokens(token_class: TokenClass) -> Gather[UUID, StoredToken | None]:
        async def look_up(ids: Sequence[UUID]) -> list[StoredToken | None]:
            found = await select_tokens(database, token_class, ids, audience=audience)
            return [found.get(each) for each in ids]

        return Gather(look_up, bounds)

    look_ups = Gather(applications, bounds), tokens("c"), tokens("s")
    inserts = Gather(redemptions, bounds), Gather(client_tokens, bounds)

    async def close() -> None:
        for gather in (*look_ups, *inserts):
            await gather.close()

    def remembered_tokens(ask: Gather[UUID, StoredToken | None]) -> Remembered[UUID, StoredToken]:
        return Remembered(ask, changes, rests_on=token_rests_on, most=most_tokens)

    return Gathered(
        Remembered(look_ups[0], changes, rests_on=application_rests_on, most=_MOST_APPLICATIONS),
        remembered_tokens(look_ups[1]),
        remembered_tokens(look_ups[2]),
        *inserts,
        close,
    )


def application_rests_on(application: Application) -> tuple[tuple[Hashable, ...], float]:
    return (application.client.id,), _APPLICATION_LIFE_S


def token_rests_on(token: StoredToken) -> tuple[tuple[Hashable, ...], float] | None:
    """An inactive token is asked for each time: nobody waits for that answer to be quick."""
    if not token.active:
        return None
    pair = (token.customer_id, token.application_id)
    subjects = (token.id, token.grant_id, token.application_id, token.customer_id, pair)
    return subjects, min(_TOKEN_LIFE_S, token.left_s)
