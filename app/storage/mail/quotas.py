"""How much was mailed lately, counted in rows that every process shares."""

from collections.abc import Mapping
from datetime import timedelta

from app.storage.people.guesses import levels_in, refund_in, upsert_in
from app.storage.postgres.database import Statements

SELECT_MAIL_QUOTAS = levels_in("mail_quota")
UPSERT_MAIL_QUOTAS = upsert_in("mail_quota")
REFUND_MAIL_QUOTAS = refund_in("mail_quota")


async def select_mail_quotas(
    statements: Statements, names: tuple[str, ...], window: timedelta
) -> dict[str, float]:
    """The share of its limit that each name has used; one that caused no mail is missing. No lock is taken."""
    rows = await statements.rows(SELECT_MAIL_QUOTAS, names, window)
    return {row["name"]: float(row["level"]) for row in rows}


async def upsert_mail_quotas(
    statements: Statements, shares: Mapping[str, float], window: timedelta
) -> dict[str, float]:
    """The level of each name with this mail in it. The rows stay locked until the transaction ends."""
    rows = await statements.rows(UPSERT_MAIL_QUOTAS, [*shares], [*shares.values()], window)
    return {row["name"]: float(row["level"]) for row in rows}


async def refund_mail_quotas(statements: Statements, shares: Mapping[str, float]) -> None:
    await statements.count(REFUND_MAIL_QUOTAS, [*shares], [*shares.values()])
