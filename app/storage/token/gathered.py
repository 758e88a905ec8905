"""The requests of the token path share statements that go out together, and answers that are remembered."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from app.oauth.lifetimes import Lifetimes
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
from app.storage.token.legacy_tokens import select_legacy_tokens
from app.storage.token.refresh_tokens import (
    Rotated,
    Rotation,
    StoredRefreshToken,
    insert_successors,
    select_refresh_tokens,
)
from app.storage.token.tokens import StoredToken, TokenClass, select_tokens

_APPLICATION_LIFE_S = 300.0
_TOKEN_LIFE_S = 60.0  # a renewal is not told: a token may seem to end this much too early
_MOST_APPLICATIONS = 10_000

Select = Callable[[Statements, Sequence[UUID]], Awaitable[dict[UUID, Answer]]]
Insert = Callable[[Statements, Sequence[Redemption]], Awaitable[Sequence[UUID]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What is looked up one by one and asked for together, and what is inserted so."""

    applications: Remembered[UUID, Application]
    classic_tokens: Remembered[UUID, StoredToken]
    strict_tokens: Remembered[UUID, StoredToken]
    legacy_tokens: Remembered[UUID, StoredToken]
    refresh_tokens: Remembered[UUID, StoredRefreshToken]
    classic_redemptions: Gather[Redemption, bool]
    strict_redemptions: Gather[Redemption, bool]
    client_tokens: Gather[ClientToken, bool]
    rotations: Gather[Rotation, Rotated | None]
    close: Callable[[], Awaitable[None]]

    def tokens_of(self, token_class: TokenClass) -> Remembered[UUID, StoredToken]:
        return self.classic_tokens if token_class == "c" else self.strict_tokens

    def insert_redemption(self, redemption: Redemption, *, classic: bool) -> Awaitable[bool]:
        """Whether its tokens were inserted. If not, it lost, was refused, or stood already."""
        redemptions = self.classic_redemptions if classic else self.strict_redemptions
        return redemptions.ask(redemption)

    def insert_client_token(self, token: ClientToken) -> Awaitable[bool]:
        """Whether all of its batch were inserted. If not, each looks for its own."""
        return self.client_tokens.ask(token)

    def insert_successor(self, rotation: Rotation) -> Awaitable[Rotated | None]:
        """What was inserted; None when it was refused, or stood already."""
        return self.rotations.ask(rotation)


def gather_statements(
    database: Database,
    changes: Changes,
    *,
    bounds: Bounds,
    most_tokens: int,
    audience: str,
    lifetimes: Lifetimes,
    legacy_until: datetime | None = None,
) -> Gathered:
    """most_tokens: how many to remember; 0 asks for each. audience: of tokens that name none.

    legacy_until: when the tokens of a former system end; None where none is accepted.
    """
    gather = _Gathers(database, bounds)

    def remember_tokens(select: Select[StoredToken]) -> Remembered[UUID, StoredToken]:
        ask = gather(partial(_look_up, select)).ask
        return Remembered(ask, changes, rests_on=token_rests_on, most=most_tokens)

    look_up_applications = gather(partial(_look_up, select_applications)).ask
    look_up_refresh_tokens = gather(partial(_look_up, partial(select_refresh_tokens, audience=audience))).ask
    insert_classic = partial(insert_grants_with_classic_tokens, lifetimes=lifetimes)
    insert_strict = partial(insert_grants_with_strict_tokens, lifetimes=lifetimes)
    return Gathered(
        applications=Remembered(
            look_up_applications, changes, rests_on=application_rests_on, most=_MOST_APPLICATIONS
        ),
        classic_tokens=remember_tokens(partial(select_tokens, token_class="c", audience=audience)),
        strict_tokens=remember_tokens(partial(select_tokens, token_class="s", audience=audience)),
        legacy_tokens=remember_tokens(partial(select_legacy_tokens, audience=audience, until=legacy_until)),
        refresh_tokens=Remembered(look_up_refresh_tokens, changes, rests_on=_rests_on_nothing, most=0),
        classic_redemptions=gather(partial(_redeem, insert_classic)),
        strict_redemptions=gather(partial(_redeem, insert_strict)),
        client_tokens=gather(partial(_issue, life=lifetimes.strict_access)),
        rotations=gather(partial(_rotate, audience=audience, lifetimes=lifetimes)),
        close=gather.close,
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


def _rests_on_nothing(_: StoredRefreshToken) -> None:
    """A refresh token is used once: an answer about it is never given again."""


async def _look_up(
    select: Select[Answer], statements: Statements, ids: Sequence[UUID]
) -> list[Answer | None]:
    found = await select(statements, ids)
    return [found.get(each) for each in ids]


async def _redeem(insert: Insert, statements: Statements, redemptions: Sequence[Redemption]) -> list[bool]:
    """As a rule all were inserted, and none need be looked for."""
    inserted = await insert(statements, redemptions)
    if len(inserted) == len(redemptions):
        return [True] * len(redemptions)
    standing = set(inserted)
    return [each.token_id in standing for each in redemptions]


async def _issue(statements: Statements, tokens: Sequence[ClientToken], *, life: timedelta) -> list[bool]:
    """As a rule all are inserted. Else nobody here knows whose was: each looks for its own."""
    inserted = await insert_strict_tokens(statements, tokens, life=life)
    return [inserted == len(tokens)] * len(tokens)


async def _rotate(
    statements: Statements, rotations: Sequence[Rotation], *, audience: str, lifetimes: Lifetimes
) -> list[Rotated | None]:
    rotated = await insert_successors(statements, rotations, audience=audience, lifetimes=lifetimes)
    return [rotated.get(each.token_id) for each in rotations]


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
        made = Gather[Item, Answer](partial(run, held), self._bounds, held.wait_for_commits)
        self._made.append((made, held))
        return made

    async def close(self) -> None:
        for made, held in self._made:
            await made.close()
            await held.give_back()
