"""How long a refresh family is remembered: to its end in every partition it reaches into, and no longer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from app.context import Context
from app.flows.token.issue_token import issue_token
from app.oauth.errors import OAuthError
from app.oauth.token_string import TokenString, bucket_of, compose, with_bucket
from app.storage.postgres.database import open_database
from app.storage.schema.maintenance import call_delete_past_rows
from app.storage.schema.partitions import drop_past_partitions
from app.storage.token.grants import Redemption, insert_grants_with_strict_tokens
from bench.ground.database import drop_database
from tests.conftest import make_database
from tests.support.approvals import approval_for
from tests.support.families import HERE, asked, events, refresh
from tests.support.people import Strict
from tests.support.stores import gathered_on

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MONTH, YEAR = timedelta(days=30), timedelta(days=365)
LONG_PAST = timedelta(days=-3)
# Noon of the first of May 2024.
ACCESS_ID = UUID("018f3406-9e00-7000-8000-000000000001")
REFRESH_ID = UUID("018f3406-9e00-7000-8000-000000001001")


@dataclass(frozen=True, slots=True)
class Old:
    """A database of this test's own, with partitions of May 2024 among its others, and a family begun in them."""

    url: str
    owner: Any
    context: Context
    strict: Strict

    async def begin(self, *, access: timedelta, absolute: timedelta) -> TokenString:
        """The first refresh token. access: the life of its access token; absolute: that of the family."""
        approval, _ = await approval_for(self.strict, self.context.database)
        bucket = bucket_of(approval.customer_id)
        token = compose("at", "s", with_bucket(ACCESS_ID, bucket), bytes(20))
        first = compose("rt", "s", with_bucket(REFRESH_ID, bucket), bytes(20))
        redemption = Redemption.of(approval, token, first)
        inserted = await insert_grants_with_strict_tokens(
            self.context.database,
            [redemption],
            lifetimes=replace(self.context.policy.lifetimes, strict_access=access, refresh_absolute=absolute),
        )
        assert inserted == [token.id]
        return first

    async def refuse(self, token: TokenString) -> None:
        request = asked(self.strict, "refresh_token", refresh_token=token.text)
        with pytest.raises(OAuthError, match="invalid_grant"):
            await issue_token(self.context, request, HERE)

    async def grants(self) -> int:
        return int(await self.owner.fetchval("SELECT count(*) FROM authorization_grant"))

    async def delete_past_rows(self) -> None:
        while await call_delete_past_rows(self.context.database, 10):
            pass

    async def age_grants(self) -> None:
        """Let everything seem approved long ago."""
        await self.owner.execute(
            "UPDATE authorization_grant SET approved_at = approved_at - interval '2 years'"
        )


@pytest.fixture
async def old(servers: tuple[str, str], context: Context) -> AsyncIterator[Old]:
    name = f"families_{uuid4().hex[:12]}"
    url = await make_database(servers[0], name)
    owner = await asyncpg.connect(url)
    for table, day, until in (
        ("strict_token_20240501", "2024-05-01", "2024-05-02"),
        ("refresh_token_202405", "2024-05-01", "2024-06-01"),
    ):
        await owner.execute(
            f"CREATE TABLE {table} PARTITION OF {table.rpartition('_')[0]} "
            f"FOR VALUES FROM (uuid_at('{day}Z')) TO (uuid_at('{until}Z'))"
        )
    database = await open_database(url, connections=2)
    gathered = gathered_on(context, database)
    own = replace(context, database=database, gathered=gathered)
    yield Old(url, owner, own, await Strict.register(own))
    await gathered.close()
    await database.close()
    await owner.close()
    await drop_database(servers[0], name)


async def test_reuse_ends_the_family_after_the_first_access_tokens_partition_is_gone(old: Old) -> None:
    """O-28, R-12, R-108: the family outlives every access token of it, and is remembered for as long."""
    first = await old.begin(access=LONG_PAST, absolute=YEAR)
    assert (await drop_past_partitions(old.url)).dropped == ("strict_token_20240501",)
    pair = await refresh(old.context, old.strict, first.text)
    await old.refuse(first)
    assert await events(old.strict) == ["refresh_token.replayed"]
    with pytest.raises(OAuthError, match="invalid_grant"):
        await refresh(old.context, old.strict, pair.refresh)


async def test_spent_tokens_stay_as_long_as_one_family_of_their_partition_lives(old: Old) -> None:
    """R-108: however long ago they were spent, and however long ago the month was."""
    first = await old.begin(access=LONG_PAST, absolute=YEAR)
    await refresh(old.context, old.strict, first.text)
    await old.age_grants()
    await old.delete_past_rows()
    assert "refresh_token_202405" not in (await drop_past_partitions(old.url)).dropped
    assert await old.grants() == 1
    await old.refuse(first)
    assert await events(old.strict) == ["refresh_token.replayed"]


async def test_after_the_family_its_tokens_are_unknown_and_its_grant_goes(old: Old) -> None:
    """R-108: the partition is past with its last family, a presented token is plainly refused, no event is written."""
    first = await old.begin(access=LONG_PAST, absolute=LONG_PAST)
    await old.age_grants()
    await old.delete_past_rows()
    assert await old.grants() == 1  # its rows still stand
    dropped = (await drop_past_partitions(old.url)).dropped
    assert set(dropped) == {"strict_token_20240501", "refresh_token_202405"}
    await old.refuse(first)
    assert await events(old.strict) == []
    await old.delete_past_rows()
    assert await old.grants() == 0


async def test_a_grant_that_says_when_it_ends_is_not_looked_into_before(old: Old) -> None:
    """R-108: a year of refreshing must not cost every hour's upkeep a look into each partition."""
    await old.begin(access=HOUR, absolute=YEAR)
    await old.age_grants()
    await old.owner.execute("DELETE FROM strict_token; DELETE FROM refresh_token")
    await old.delete_past_rows()
    assert await old.grants() == 1
    await old.owner.execute("UPDATE authorization_grant SET expires_at = expires_at - interval '2 years'")
    await old.delete_past_rows()
    assert await old.grants() == 0
