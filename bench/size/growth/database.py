"""One database of so many tokens, asked for customers and tokens that are in it."""

import random
from dataclasses import dataclass, field
from os import urandom
from uuid import UUID

from app.oauth.token_string import compose
from bench.ground.database import connected
from bench.size.growth.fill import Filled
from bench.size.growth.rows import SELECT_CUSTOMERS, SELECT_TOKENS

# A sampled token gets a string that is known, and was used today, so that asking about it writes nothing.
_UPDATE_TOKENS = """
UPDATE classic_token t
SET digest = known.digest, used_at = clock_timestamp(), expires_at = clock_timestamp() + interval '365 days'
FROM unnest($1::uuid[], $2::bytea[]) AS known(id, digest)
WHERE t.id = known.id AND t.bucket = bucket_of(known.id)
"""
_SECRET_BYTES = 20


@dataclass(frozen=True, slots=True)
class Database:
    """Its address, and what its filling was."""

    url: str = field(repr=False)
    filled: Filled

    @property
    def name(self) -> str:
        return f"{self.filled.tokens:,} tokens"


async def sample_customers(database: Database, count: int) -> list[UUID]:
    """Choose so many of its customers by chance, some of them several times."""
    async with connected(database.url) as connection:
        customers = await connection.fetchval("SELECT customers FROM bench_filling")
        numbers = random.choices(range(customers), k=count)  # noqa: S311  # spread, not secrecy
        return [UUID(str(row["customer_id"])) for row in await connection.fetch(SELECT_CUSTOMERS, numbers)]


async def name_tokens(database: Database, most: int) -> list[tuple[UUID, str]]:
    """Tokens by chance from all over the table, each with its application, given strings that are known."""
    count = database.filled.tokens
    async with connected(database.url) as connection:
        numbers = random.sample(range(count), min(most, count))
        rows = await connection.fetch(SELECT_TOKENS, numbers)
        tokens = [compose("at", "c", UUID(str(row["id"])), urandom(_SECRET_BYTES)) for row in rows]
        await connection.execute(
            _UPDATE_TOKENS, [token.id for token in tokens], [token.digest for token in tokens]
        )
        await connection.execute("VACUUM classic_token", timeout=None)
        return [
            (UUID(str(row["application_id"])), token.text) for row, token in zip(rows, tokens, strict=True)
        ]
