"""`migrate distribute` on real nodes: killed and taken up, refused where something stands in the way, and told by doctor."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator

import asyncpg
import pytest

from app.storage.distributed.distribute import DistributionError, distribute_tables
from app.storage.distributed.placement import (
    BY_BUCKET,
    DistributionFacts,
    select_distribution_facts,
)
from app.storage.postgres.database import Transaction
from app.storage.schema.migrations import apply_migrations, read_migrations
from app.storage.schema.partitions import drop_past_partitions
from tests.distributed.nodes import COMMANDS, SET, Citus, NoCitusError, citus_programs, run_citus
from tests.faults.servers import environment_of
from tests.support.server import ROOT, free_port

_ROWS = """
WITH made AS (SELECT uuidv7() AS id FROM generate_series(1, 200)), granted AS (
    INSERT INTO authorization_grant (id, bucket, application_id, customer_id, first_token_id, scope, approved_at)
    SELECT id, bucket_of(id), id, id, id, 's', now() FROM made
)
INSERT INTO strict_token (id, bucket, digest, application_id, scope, approved_at, issued_at, expires_at)
SELECT id, bucket_of(id), sha256('x'), id, 's', now(), now(), now() FROM made
"""
_COUNTS = "SELECT (SELECT count(*) FROM authorization_grant), (SELECT count(*) FROM strict_token)"


@pytest.fixture(scope="module")
def citus() -> Iterator[Citus]:
    try:
        programs = citus_programs()
    except NoCitusError as error:
        pytest.skip(f"not shown: tokens on several PostgreSQL servers; {error}")
    with run_citus(programs, workers=2) as citus:
        yield citus


def environment(citus: Citus, **settings: str) -> dict[str, str]:
    usual = {
        "DATABASE_URL": citus.service_url,
        "MIGRATION_DATABASE_URL": citus.owner_url,
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}",
        "ENVIRONMENT": "development",
    }
    return environment_of(**{**usual, **settings})


def run(citus: Citus, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app", *words]
    environ = environment(citus, **settings)
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def kill_at(citus: Citus, table: str) -> None:
    """Begin to distribute, and kill the command when this table's turn comes."""
    command = [sys.executable, "-m", "app", "migrate", "distribute"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(citus),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while table not in process.stderr.readline():
            assert process.poll() is None
        process.kill()


def distribution_in(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    [finding] = [each for each in json.loads(done.stdout) if each["check"] == "distribution"]
    assert isinstance(finding, dict)
    return finding


async def facts_of(url: str) -> DistributionFacts:
    session = await asyncpg.connect(url)
    try:
        return await select_distribution_facts(Transaction(session))
    finally:
        await session.close()


async def test_a_killed_run_is_taken_up_and_no_row_is_lost(citus: Citus) -> None:
    migrate, distribute = COMMANDS.strip().splitlines()
    assert run(citus, *migrate.split()[1:]).returncode == 0
    owner = await asyncpg.connect(citus.owner_url)
    await owner.execute(_ROWS)
    await asyncio.to_thread(kill_at, citus, "strict_token")
    half = await facts_of(citus.owner_url)
    assert half.spread == "half"
    assert "half distributed" in distribution_in(run(citus, "doctor", DISTRIBUTED="citus"))["found"]
    assert "DISTRIBUTED=citus" in distribution_in(run(citus, "doctor"))["todo"]
    refused = run(citus, "serve", "--port", str(free_port()), DISTRIBUTED="citus")
    assert refused.returncode != 0
    assert "half distributed" in refused.stderr

    done = run(citus, *distribute.split()[1:])
    assert done.returncode == 0, done.stderr
    assert [each["shards"] for each in json.loads(done.stdout)] == [32] * len(BY_BUCKET)
    again = run(citus, "migrate", "distribute")
    assert [each["new"] for each in json.loads(again.stdout)] == [False] * len(BY_BUCKET)
    assert tuple(await owner.fetchrow(_COUNTS)) == (200, 200)
    said = dict([SET.strip().removeprefix("ROVITRACKER_").split("=")])
    assert distribution_in(run(citus, "doctor", **said))["verdict"] == "ok"
    refused = run(citus, "serve", "--port", str(free_port()))
    assert "set ROVITRACKER_DISTRIBUTED=citus" in refused.stderr
    alone = {"DATABASE_URL": citus.owner_url, "MIGRATION_DATABASE_URL": "", **said}
    refused = run(citus, "serve", "--port", str(free_port()), **alone)
    assert "give it a login that is only granted rovitracker_service" in refused.stderr
    await owner.close()


async def test_partitions_of_a_distributed_table_come_and_go(citus: Citus) -> None:
    owner = await asyncpg.connect(citus.owner_url)
    await owner.execute("SELECT create_partition('strict_token', 'day', now() - interval '20 days')")
    placed = "SELECT count(*) FROM pg_dist_partition WHERE logicalrelid::regclass::text ~ '^strict_token_'"
    before = await owner.fetchval(placed)
    [dropped] = (await drop_past_partitions(citus.owner_url)).dropped
    assert dropped.startswith("strict_token_")
    assert await owner.fetchval(placed) == before - 1
    await owner.close()


_DROP = "DROP TRIGGER {} ON classic_token;"
OBSTACLES = {
    "foreign key": (
        "CREATE TABLE mine (id uuid, bucket smallint, FOREIGN KEY (id, bucket) REFERENCES classic_token)",
        "the foreign key mine_id_bucket_fkey of mine stands in the way: run `ALTER TABLE mine DROP CONSTRAINT",
    ),
    "trigger": (
        "CREATE TRIGGER mine AFTER INSERT ON classic_token EXECUTE FUNCTION tell_signing_keys()",
        "the trigger mine of classic_token stands in the way: run `DROP TRIGGER mine ON classic_token`",
    ),
    "another column": (
        f"{_DROP.format('tell_ended')} {_DROP.format('tell_deleted')} SELECT create_distributed_table('classic_token', 'id')",
        "run `SELECT undistribute_table('classic_token')`",
    ),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
async def test_what_stands_in_the_way_is_named_with_its_remedy(citus: Citus, obstacle: str) -> None:
    statement, said = OBSTACLES[obstacle]
    name = obstacle.replace(" ", "_")
    citus.tell(f"CREATE DATABASE {name} OWNER rovitracker_owner")
    citus.coordinator.tell("CREATE EXTENSION citus", database=name, password=citus.password)
    url = citus.url("rovitracker_owner", name)
    await apply_migrations(url, read_migrations())
    owner = await asyncpg.connect(url)
    await owner.execute(statement)
    await owner.close()
    with pytest.raises(DistributionError) as refused:
        await distribute_tables(url)
    assert said in str(refused.value)
    assert "authorization_grant" not in (await facts_of(url)).placed
