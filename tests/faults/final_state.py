"""The database at the end is compared with what callers were told: nothing is missing, and nothing else is there."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from app.oauth import base62
from tests.faults.ground import Ground
from tests.faults.journal import Journal, Operation

_GRANTS = (
    "SELECT id, first_token_id, revoked_at IS NOT NULL AS revoked FROM authorization_grant WHERE id = ANY($1)"
)
_TOKENS = """
SELECT id, grant_id, revoked_at IS NOT NULL AS revoked FROM classic_token WHERE grant_id = ANY($1) OR id = ANY($2)
UNION ALL
SELECT id, grant_id, revoked_at IS NOT NULL AS revoked FROM strict_token WHERE grant_id = ANY($1) OR id = ANY($2)
"""
_REFRESH_TOKENS = "SELECT id, grant_id, successor_id FROM refresh_token WHERE grant_id = ANY($1)"


@dataclass(slots=True)
class Stored:
    """The rows of a schedule's lives. grants: their first token, and whether they are revoked."""

    grants: dict[UUID, tuple[UUID, bool]] = field(default_factory=dict)
    tokens: dict[UUID, bool] = field(default_factory=dict)
    tokens_of: Counter[UUID] = field(default_factory=Counter)
    successors: dict[UUID, UUID | None] = field(default_factory=dict)


async def compare(ground: Ground, journal: Journal, *, weak: bool) -> list[str]:
    """A line for each difference, and for each code that is gone although it has no grant and nobody burned it.

    weak: what befell Valkey may lose codes.
    """
    lives = journal.by_life()
    codes = [UUID(life) for life in lives if life and not life.startswith("rovi_")]
    alone = [_id_of(life) for life in lives if life.startswith("rovi_")]
    async with ground.owner() as owner:
        stored = await _read(owner, codes, alone)
    differences = [
        f"{life}: {fault}"
        for life, operations in lives.items()
        if life
        for fault in _differences(life, operations, stored)
    ]
    lost = [life for life, operations in lives.items() if _is_lost(operations, stored, life)]
    return (
        differences if weak else [*differences, *(f"{life}: gone, and nobody has its grant" for life in lost)]
    )


def _is_lost(operations: Sequence[Operation], stored: Stored, life: str) -> bool:
    done = {(each.verb, each.outcome) for each in operations}
    lost = ("redeem", "open") in done and ("redeem", "refused") in done
    return lost and not any(verb == "burn" for verb, _ in done) and UUID(life) not in stored.grants


async def _read(owner: asyncpg.Connection, codes: Sequence[UUID], alone: Sequence[UUID]) -> Stored:
    stored = Stored()
    for row in await owner.fetch(_GRANTS, codes):
        stored.grants[row["id"]] = (row["first_token_id"], row["revoked"])
    for row in await owner.fetch(_TOKENS, codes, alone):
        stored.tokens[row["id"]] = row["revoked"]
        stored.tokens_of[row["grant_id"]] += 1
    for row in await owner.fetch(_REFRESH_TOKENS, codes):
        stored.successors[row["id"]] = row["successor_id"]
    return stored


def _differences(life: str, operations: Sequence[Operation], stored: Stored) -> Iterator[str]:
    for each in operations:
        for token in each.gave:
            if _id_of(token) not in (stored.successors if token.startswith("rovi_rt_") else stored.tokens):
                yield f"{token} was given, and is not there"
        if each.verb == "revoke" and each.outcome == "ok" and not _is_revoked(life, each.subject, stored):
            yield f"{each.subject} was revoked, and still stands"
        if each.verb == "refresh" and each.outcome == "ok":
            successor = next(token for token in each.gave if token.startswith("rovi_rt_"))
            if stored.successors.get(_id_of(each.subject)) != _id_of(successor):
                yield f"{each.subject} does not name the successor that was given"
    if not life.startswith("rovi_"):
        yield from _differences_of_grant(UUID(life), operations, stored)


def _differences_of_grant(life: UUID, operations: Sequence[Operation], stored: Stored) -> Iterator[str]:
    done = Counter((each.verb, each.outcome) for each in operations)
    grant = stored.grants.get(life)
    most = sum(done[verb, "ok"] + done[verb, "open"] for verb in ("redeem", "refresh"))
    if stored.tokens_of[life] > most:
        yield f"{stored.tokens_of[life]} tokens stand, and {most} can have been issued"
    if grant is None:
        return
    if not done["redeem", "ok"] and not done["redeem", "open"]:
        yield "a grant stands, and nobody may have redeemed its code"
    first = [each for each in operations if each.verb == "redeem" and each.outcome == "ok"]
    if first and grant[0] != _id_of(next(each for each in first[0].gave if each.startswith("rovi_at_"))):
        yield "its first token is another than was given"
    mays = [
        each for each in operations if each.verb in ("redeem", "refresh", "revoke") and each.outcome != "ok"
    ]
    if grant[1] and not mays and not any(_ends_grant(each) for each in operations):
        yield "its grant is revoked, and nobody asked for that"


def _ends_grant(operation: Operation) -> bool:
    return operation.verb == "revoke" and operation.subject.startswith("rovi_rt_")


def _is_revoked(life: str, token: str, stored: Stored) -> bool:
    if token.startswith("rovi_rt_"):
        return stored.grants.get(UUID(life), (None, False))[1]
    return stored.tokens.get(_id_of(token), False)


def _id_of(name: str) -> UUID:
    """The id within a token's name."""
    return UUID(int=base62.decode(name[9:31]))
