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
from app.storage.grants import (
    Redemption,
    insert_grants_with_classic_tokens,
    insert_grants_with_strict_tokens,
)
from app.storage.refresh_tokens import (
    Rotation,
    StoredRefreshToken,
    insert_successors,
    select_refresh_tokens,
)
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
    strict_redemptions: Gather[Redemption, bool]
    rotations: Gather[Rotation, str | None]
    refresh_tokens: Remembered[UUID, StoredRefreshToken]
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
    refresh_idle: timedelta,
    refresh_absolute: timedelta,
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
    families = _gather_families(
        database,
        bounds,
        audience=audience,
        code_life=code_life,
        access_life=strict_access,
        idle=refresh_idle,
        absolute=refresh_absolute,
    )

    async def close() -> None:
        for gather in (*look_ups, *inserts, *families):
            await gather.close()

    def remembered_tokens(ask: Gather[UUID, StoredToken | None]) -> Remembered[UUID, StoredToken]:
        return Remembered(ask, changes, rests_on=token_rests_on, most=most_tokens)

    return Gathered(
        Remembered(look_ups[0], changes, rests_on=application_rests_on, most=_MOST_APPLICATIONS),
        remembered_tokens(look_ups[1]),
        remembered_tokens(look_ups[2]),
        *inserts,
        *families[:2],
        Remembered(families[2], changes, rests_on=_rests_on_nothing, most=0),
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


def _gather_families(
    database: Database,
    bounds: Bounds,
    *,
    audience: str,
    code_life: timedelta,
    access_life: timedelta,
    idle: timedelta,
    absolute: timedelta,
) -> tuple[Gather[Redemption, bool], Gather[Rotation, str | None], Gather[UUID, StoredRefreshToken | None]]:
    """Those of strict applications: a code that begins a family, a token that continues it, and a look at one."""

    async def redemptions(items: Sequence[Redemption]) -> list[bool]:
        inserted = await insert_grants_with_strict_tokens(
            database, items, code_life=code_life, access_life=access_life, idle=idle, absolute=absolute
        )
        return [item.token_id in inserted for item in items]

    async def rotations(items: Sequence[Rotation]) -> list[str | None]:
        scopes = await insert_successors(
            database, items, audience=audience, access_life=access_life, idle=idle
        )
        return [scopes.get(item.token_id) for item in items]

    async def look_up(ids: Sequence[UUID]) -> list[StoredRefreshToken | None]:
        found = await select_refresh_tokens(database, ids, audience=audience)
        return [found.get(each) for each in ids]

    return Gather(redemptions, bounds), Gather(rotations, bounds), Gather(look_up, bounds)


def _rests_on_nothing(_: StoredRefreshToken) -> None:
    """A refresh token is used once: an answer about it is never given again."""
