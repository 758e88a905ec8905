"""What the machines of an erased account reported, and the machines themselves."""

from uuid import UUID

from app.storage.postgres.database import Transaction

SELECT_MACHINES_EVER = """
SELECT DISTINCT o.equipment_key AS key, e.customer_id IS NOT DISTINCT FROM o.customer_id AS present
FROM equipment_ownership o JOIN equipment e ON e.key = o.equipment_key WHERE o.customer_id = $1 ORDER BY key
"""


async def select_machines_ever(transaction: Transaction, customer_id: UUID) -> tuple[tuple[int, bool], ...]:
    """The machines that were the account's at any time, and whether each still is."""
    rows = await transaction.rows(SELECT_MACHINES_EVER, customer_id)
    return tuple((row["key"], row["present"]) for row in rows)


_HISTORY = ("reading", "position", "fault")
DELETE_HISTORY = {
    table: f"""
DELETE FROM {table}
WHERE equipment_key = $1 AND fleet_number = (SELECT number FROM fleet WHERE customer_id = $2)
"""
    for table in _HISTORY
}


async def delete_history(transaction: Transaction, key: int, customer_id: UUID) -> int:
    """Delete what a machine reported while it was the account's; return how many rows went."""
    return sum([await transaction.count(each, key, customer_id) for each in DELETE_HISTORY.values()])


DELETE_OWNERSHIPS = "DELETE FROM equipment_ownership WHERE equipment_key = $1 AND customer_id = $2"


async def delete_ownerships(transaction: Transaction, key: int, customer_id: UUID) -> None:
    await transaction.count(DELETE_OWNERSHIPS, key, customer_id)


# A machine that was never anybody else's goes whole.
_NEVER_ANOTHERS = "NOT EXISTS (SELECT FROM equipment_ownership o WHERE o.equipment_key = $1)"
DELETE_NEVER_ANOTHERS = (
    f"DELETE FROM equipment_move WHERE equipment_key = $1 AND {_NEVER_ANOTHERS}",
    f"DELETE FROM equipment_offset WHERE equipment_key = $1 AND {_NEVER_ANOTHERS}",
    f"DELETE FROM equipment WHERE key = $1 AND {_NEVER_ANOTHERS}",
)


async def delete_if_never_anothers(transaction: Transaction, key: int) -> None:
    for statement in DELETE_NEVER_ANOTHERS:
        await transaction.count(statement, key)
