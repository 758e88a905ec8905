"""What the requests of the token path share: statements that go out together, and answers that are remembered."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from app.storage.applications import Application, select_applications
from app.storage.changes import Changes
from app.storage.client_tokens import ClientToken, insert_strict_tokens
from app.storage.database import Database, Held, Statements
from app.storage.gather import Answer, Bounds, Gather, Item
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
    gathers: list[tuple[Gather[Any, Any], Held]] = []

    def gather(
        run: Callable[[Statements, Sequence[Item]], Awaitable[Sequence[Answer]]],
    ) -> Gather[Item, Answer]:
        held = database.hold()
        made = Gather[Item, Answer](partial(run, held), bounds)
        gathers.append((made, held))
        return made

    async def close() -> None:
        for made, held in gathers:
            await made.close()
            await held.give_back()

    async def applications(statements: Statements, ids: Sequence[UUID]) -> list[Application | None]:
        found = await select_applications(statements, ids)
        return [found.get(each) for each in ids]

    async def redemptions(statements: Statements, items: Sequence[Redemption]) -> list[bool]:
        inserted = await insert_grants_with_classic_tokens(
            statements, items, code_life=code_life, idle=classic_idle, absolute=classic_absolute
        )
        return _each_in(inserted, [item.token_id for item in items])

    async def client_tokens(statements: Statements, items: Sequence[ClientToken]) -> list[bool]:
        inserted = await insert_strict_tokens(statements, items, life=strict_access)
        return _each_in(inserted, [item.id for item in items])

    async def tokens(
        token_class: TokenClass, statements: Statements, ids: Sequence[UUID]
    ) -> list[StoredToken | None]:
        found = await select_tokens(statements, token_class, ids, audience=audience)
        return [found.get(each) for each in ids]

    def remembered_tokens(ask: Gather[UUID, StoredToken | None]) -> Remembered[UUID, StoredToken]:
        return Remembered(ask, changes, rests_on=token_rests_on, most=most_tokens)

    return Gathered(
        Remembered(gather(applications), changes, rests_on=application_rests_on, most=_MOST_APPLICATIONS),
        remembered_tokens(gather(partial(tokens, "c"))),
        remembered_tokens(gather(partial(tokens, "s"))),
        gather(redemptions),
        gather(client_tokens),
        close,
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
