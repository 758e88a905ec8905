"""The limit's own database, beside the service's on the same server."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg

NAME = "bench_limit"
SCHEMA = Path(__file__).with_name("schema.sql")


async def create_database(owner_url: str) -> str:
    """Made anew; its address."""
    owner = await asyncpg.connect(owner_url)
    await owner.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    await owner.execute(f"CREATE DATABASE {NAME}")
    await owner.close()
    url = urlunsplit(urlsplit(owner_url)._replace(path=f"/{NAME}"))
    connection = await asyncpg.connect(url)
    await connection.execute(SCHEMA.read_text())
    await connection.close()
    return url


async def insert_applications(database_url: str, applications: Sequence[tuple[UUID, bytes, UUID]]) -> None:
    """client_id, digest of the secret, and the customer it acts for."""
    connection = await asyncpg.connect(database_url)
    await connection.copy_records_to_table("limit_application", records=applications)
    await connection.close()
