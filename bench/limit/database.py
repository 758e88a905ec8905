"""The limit's own database, beside the service's on the same server."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from bench.ground import database as ground

NAME = "bench_limit"
SCHEMA = Path(__file__).with_name("schema.sql")


async def create_database(owner_url: str) -> str:
    """Made anew; its address."""
    url = await ground.create_database(owner_url, NAME)
    async with ground.connected(url) as connection:
        await connection.execute(SCHEMA.read_text())
    return url


async def insert_applications(database_url: str, applications: Sequence[tuple[UUID, bytes, UUID]]) -> None:
    """client_id, digest of the secret, and the customer it acts for."""
    async with ground.connected(database_url) as connection:
        await connection.copy_records_to_table("limit_application", records=applications)
