"""The bare limit does what the service does, and `make bench-limit` compares them, at smoke size."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.oauth.token_string import mint, parse
from bench.limit import token_text
from bench.limit.batch import Batch
from bench.limit.database import create_database
from bench.limit.poll import FORGETFUL, OURS, Poll, table
from bench.load.billed import Cost
from tests.bench.programs import measure
from tests.support.depth import too_long

SMOKE = (
    *("--rounds", "1", "--seconds", "0.5", "--warm-up", "0.2"),
    *("--tokens", "200", "--connections", "4", "--workers", "1"),
)
TABLES = ("authorization_grant", "classic_token", "strict_token")
SELECT_COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = ANY($1) ORDER BY table_name, ordinal_position
"""
SELECT_INDEXES = """
SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY($1) ORDER BY indexdef
"""
SELECT_CHECKS_AND_OPTIONS = """
SELECT c.relname, c.reloptions, (SELECT array_agg(pg_get_constraintdef(k.oid) ORDER BY k.oid) FROM pg_constraint k
                                 WHERE k.conrelid = c.oid AND k.contype IN ('c', 'f', 'p', 'u')) AS constraints
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY($1) ORDER BY c.relname
"""


async def shape_of(url: str) -> list[list[tuple[Any, ...]]]:
    connection = await asyncpg.connect(url)
    selects = (SELECT_COLUMNS, SELECT_INDEXES, SELECT_CHECKS_AND_OPTIONS)
    shape = [[tuple(row) for row in await connection.fetch(select, TABLES)] for select in selects]
    await connection.close()
    return shape


async def test_limit_writes_tables_of_the_same_shape_as_the_service(
    servers: tuple[str, str], database_url: str
) -> None:
    assert await shape_of(await create_database(servers[0])) == await shape_of(database_url)


@pytest.mark.parametrize("bucket", [0, 77, 4095])
@pytest.mark.parametrize("token_class", ["c", "s"])
def test_limit_mints_tokens_of_the_published_format(bucket: int, token_class: str) -> None:
    seen = set()
    for _ in range(200):
        token_id, text = token_text.mint(b"rovi_at_" + token_class.encode(), bucket)
        token = parse(text.decode())
        assert token is not None
        assert (token.id.bytes, token.bucket, token.token_class) == (token_id, bucket, token_class)
        assert token_text.token_id(text) == token_id
        seen.add(text)
    assert len(seen) == 200


def test_limit_reads_the_ids_of_the_services_tokens() -> None:
    token = mint("at", "c", 5)
    assert token_text.token_id(token.text.encode()) == token.id.bytes
    assert token_text.token_id(b"rovi_at_c%" + token.text[10:].encode()) is None
    assert token_text.token_id(b"rovi_at_c" + 22 * b"z") is None


async def test_batch_sends_what_waits_while_another_is_in_flight() -> None:
    batches: list[list[int]] = []
    gate = asyncio.Event()

    async def run(items: list[int]) -> list[int]:
        batches.append(items)
        await gate.wait()
        if 5 in items:
            raise ValueError("five")
        return [10 * item for item in items]

    batch = Batch(run)
    first = [batch(1), batch(2)]
    await asyncio.sleep(0)
    later = [batch(3), batch(4)]
    gate.set()
    assert await asyncio.gather(*first, *later) == [10, 20, 30, 40]
    assert batches == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match="five"):
        await batch(5)
    assert await batch(6) == 60


@pytest.mark.timeout(300)
def test_smoke_run_compares_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """It runs without and with the cache; the comparisons left out are made of the same parts."""
    done = measure("limit", tmp_path, *SMOKE, "--only", "exchange", "cached")
    assert {result["name"]: set(result["medians"]) for result in done.document["results"]} == {
        "code exchange": {"ours", "limit", "limit, bare Valkey connection"},
        "introspect, cache on": {"ours", "limit"},
    }
    rounds = [each for some in done.rounds.values() for contender in some.values() for each in contender]
    assert len(rounds) == 5
    assert all(each["requests"] > 0 and each["service_us"] > 0 for each in rounds)
    assert done.printed == done.report
    assert done.status == int("NOT MET" in done.printed)


def test_a_poll_is_judged_by_service_and_postgresql_together() -> None:
    rounds = {OURS: [Cost(300, 100), Cost(500, 100)], FORGETFUL: [Cost(900, 100), Cost(900, 100)]}
    poll = Poll("unchanged, JSON, gzip", rounds, 160, 0.50)
    assert (poll.pairs, poll.met) == ([0.4, 0.6], True)
    assert not replace(poll, bar=0.49).met
    assert (
        "| unchanged, JSON, gzip | 400 + 100 | 900 + 100 | 0.50 (0.40 to 0.60) | at most 0.50: met |"
        in table([poll])
    )


@pytest.mark.timeout(300)
@too_long("polls are measured in every form")
def test_smoke_run_polls_every_form_and_both_sides_send_the_same(tmp_path: Path) -> None:
    done = measure("limit", tmp_path, *SMOKE, "--only", "poll", "--fleets", "2")
    assert len(done.document["results"]) == 18
    assert all(set(each["costs"]) == {OURS, FORGETFUL} for each in done.document["results"])
    assert done.status == int("NOT MET" in done.printed)
