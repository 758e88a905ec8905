"""The suite on Citus: where TESTS_CITUS_URL names a coordinator's superuser, its databases are distributed.

`python -m tests.distributed` sets it for the files that it runs. Everywhere else nothing of this does anything.
"""

import os
from urllib.parse import urlsplit, urlunsplit

from app.storage.distributed.distribute import distribute_tables
from bench.ground.database import connected, create_database

VARIABLE = "TESTS_CITUS_URL"
COORDINATOR = os.environ.get(VARIABLE, "")
_LOGIN = "rovitracker_login"  # as deploy/create_logins.sql has it, with the superuser's password
_WORKERS = "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid <> 0 ORDER BY nodeport"


def settings_on(database_url: str) -> dict[str, str]:
    """What beside the address a service on this database is set to: its own login, since SET ROLE reaches no worker."""
    if not COORDINATOR:
        return {}
    address = urlsplit(database_url)
    netloc = f"{_LOGIN}:{address.password}@{address.hostname}:{address.port}"
    return {
        "distributed": "citus",
        "migration_database_url": database_url,
        "database_url": urlunsplit(address._replace(netloc=netloc)),
    }


async def join_workers(database_url: str) -> None:
    """Make the database known to Citus on every node, before it is migrated."""
    if not COORDINATOR:
        return
    address = urlsplit(database_url)
    async with connected(COORDINATOR) as coordinator:
        workers = await coordinator.fetch(_WORKERS)
    name = address.path[1:]
    for host, port in workers:
        elsewhere = address._replace(netloc=f"{address.username}:{address.password}@{host}:{port}")
        await create_database(urlunsplit(elsewhere._replace(path="/postgres")), name)
        await _run(urlunsplit(elsewhere), "CREATE EXTENSION citus")
    await _run(database_url, "CREATE EXTENSION citus")
    if workers:
        await _run(database_url, f"SELECT citus_set_coordinator_host('{address.hostname}', {address.port})")
    for host, port in workers:
        await _run(database_url, f"SELECT citus_add_node('{host}', {port})")


async def spread(database_url: str) -> None:
    """Distribute a database that is migrated."""
    if COORDINATOR:
        await distribute_tables(database_url)


async def _run(url: str, statement: str) -> None:
    async with connected(url) as connection:
        await connection.execute(statement)


def understood(statement: str) -> str:
    """A change by hand as Citus takes it: by the time of the statement."""
    return statement.replace("clock_timestamp()", "statement_timestamp()") if COORDINATOR else statement
