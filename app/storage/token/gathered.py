"""The requests of the token path share statements that go out together, and answers that are remembered."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from app.storage.people.applications import Application, select_applications
from app.storage.postgres.changes import Changes
from app.storage.postgres.database import Database, Held, Statements
from app.storage.postgres.gather import Answer, Bounds, Gather, Item
from app.storage.postgres.remembered import Remembered
from app.storage.token.client_tokens import ClientToken, insert_strict_tokens
from app.storage.token.grants import (
    Redemption,
    insert_grants_with_classic_tokens,
    insert_grants_with_strict_tokens,
)
from app.storage.token.refresh_tokens import (
    Rotation,
    StoredRefreshToken,
    insert_successors,
    select_refresh_tokens,
)
from app.storage.token.tokens import StoredToken, TokenClass, select_tokens

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
    gather = _Gathers(database, bounds)

    async def applications(statements: Statements, ids: Sequence[UUID]) -> list[Application | None]:
        found = await select_applications(statements, ids)
        return [found.get(each) for each in ids]

    async def redemptions(statements: Statements, items: Sequence[Redemption]) -> list[bool]:
        inserted = await insert_grants_with_classic_tokens(
            statements, items, code_life=code_life, idle=classic_idle, absolute=classic_absolute
        )
        return _each_in(inserted, [item.token_id for item in items])

    async def client_tokens(statements: Statements, items: Sequence[ClientToken]) -> list[bool]:
        # As a rule all are inserted. Else nobody here knows whose was: each looks for its own.
        inserted = await insert_strict_tokens(statements, items, life=strict_access)
        return [inserted == len(items)] * len(items)

    async def tokens(
        token_class: TokenClass, statements: Statements, ids: Sequence[UUID]
    ) -> list[StoredToken | None]:
        found = await select_tokens(statements, token_class, ids, audience=audience)
        return [found.get(each) for each in ids]

    families = _gather_families(
        gather,
        audience=audience,
        code_life=code_life,
        access_life=strict_access,
        idle=refresh_idle,
        absolute=refresh_absolute,
    )

    def remembered_tokens(ask: Gather[UUID, StoredToken | None]) -> Remembered[UUID, StoredToken]:
        return Remembered(ask, changes, rests_on=token_rests_on, most=most_tokens)

    return Gathered(
        Remembered(gather(applications), changes, rests_on=application_rests_on, most=_MOST_APPLICATIONS),
        remembered_tokens(gather(partial(tokens, "c"))),
        remembered_tokens(gather(partial(tokens, "s"))),
        gather(redemptions),
        gather(client_tokens),
        *families[:2],
        Remembered(families[2], changes, rests_on=_rests_on_nothing, most=0),
        gather.close,
    )


def _each_in(inserted: Sequence[UUID], asked: Sequence[UUID]) -> list[bool]:
    """Whether each was inserted; as a rule all were, and none need be looked for."""
    if len(inserted) == len(asked):
        return [True] * len(asked)
    standing = set(inserted)
    return [each in standing for each in asked]


def application_rests_on(application: Application) -> tuple[tuple[Hashable, ...], float]:
    return (application.client.id,), _APPLICATION_LIFE_S


def token_rests_on(token: StoredToken) -> tuple[tuple[Hashable, ...], float] | None:
    """An inactive token is asked for each time: nobody waits for that answer to be quick."""
    if not token.active:
        return None
    pair = (token.customer_id, token.application_id)
    subjects = (token.id, token.grant_id, token.application_id, token.customer_id, pair)
    return subjects, min(_TOKEN_LIFE_S, token.left_s)


class _Gathers:
    """Makes them, each with a connection that it holds, and closes them all."""

    def __init__(self, database: Database, bounds: Bounds) -> None:
        self._database = database
        self._bounds = bounds
        self._made: list[tuple[Gather[Any, Any], Held]] = []

    def __call__(
        self, run: Callable[[Statements, Sequence[Item]], Awaitable[Sequence[Answer]]]
    ) -> Gather[Item, Answer]:
        held = self._database.hold()
        made = Gather[Item, Answer](partial(run, held), self._bounds)
        self._made.append((made, held))
        return made

    async def close(self) -> None:
        for made, held in self._made:
            await made.close()
            await held.give_back()


def _gather_families(
    gather: _Gathers,
    *,
    audience: str,
    code_life: timedelta,
    access_life: timedelta,
    idle: timedelta,
    absolute: timedelta,
) -> tuple[Gather[Redemption, bool], Gather[Rotation, str | None], Gather[UUID, StoredRefreshToken | None]]:
    """Those of strict applications: a code that begins a family, a token that continues it, and a look at one."""

    async def redemptions(statements: Statements, items: Sequence[Redemption]) -> list[bool]:
        inserted = await insert_grants_with_strict_tokens(
            statements, items, code_life=code_life, access_life=access_life, idle=idle, absolute=absolute
        )
        return _each_in(inserted, [item.token_id for item in items])

    async def rotations(statements: Statements, items: Sequence[Rotation]) -> list[str | None]:
        scopes = await insert_successors(
            statements, items, audience=audience, access_life=access_life, idle=idle
        )
        return [scopes.get(item.token_id) for item in items]

    async def look_up(statements: Statements, ids: Sequence[UUID]) -> list[StoredRefreshToken | None]:
        found = await select_refresh_tokens(statements, ids, audience=audience)
        return [found.get(each) for each in ids]

    return gather(redemptions), gather(rotations), gather(look_up)


def _rests_on_nothing(_: StoredRefreshToken) -> None:
    """A refresh token is used once: an answer about it is never given again."""
