"""Logos as the decoder left them, each named by the digest of its bytes."""

from dataclasses import dataclass

from app.storage.postgres.database import Statements


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture. likeness: 64 bits, few of which differ in one that looks the same; None for one too plain to compare."""

    digest: bytes
    png: bytes
    likeness: int | None


INSERT_LOGO = (
    "INSERT INTO application_logo (digest, png, likeness) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
)


async def insert_logo(statements: Statements, logo: Logo) -> None:
    await statements.count(INSERT_LOGO, logo.digest, logo.png, logo.likeness)


SELECT_LOGO = "SELECT png FROM application_logo WHERE digest = $1"


async def select_logo(statements: Statements, digest: bytes) -> bytes | None:
    row = await statements.row(SELECT_LOGO, digest)
    return bytes(row["png"]) if row else None


SELECT_LIKENESS = "SELECT likeness FROM application_logo WHERE digest = $1"


async def select_likeness(statements: Statements, digest: bytes) -> int | None:
    row = await statements.row(SELECT_LIKENESS, digest)
    return row["likeness"] if row else None
