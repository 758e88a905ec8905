"""Numbers that rows store for metrics and kinds: named in statements, and the same in the schema as in the code."""

import re
from pathlib import Path

import pytest

import app.storage
from app.aemp.model.identifiers import IDENTIFIER_KINDS
from app.aemp.model.series import CAUTION_CODES, FAULTS
from app.context import Context

# `metric = 16`, `kind < 3`, `(5::smallint, fuel_l)`, `$2 = 1`
UNNAMED_NUMBER = re.compile(r"(?:\b(?:metric|kind)|\$\d+)\s*(?:=|<>|<|>|IN \()\s*\d|(?<![$\d])\d+::smallint")


def test_metrics_and_kinds_are_named_in_statements() -> None:
    """A number means nothing to a reader, and nothing notices when it is the wrong one."""
    files = sorted(Path(app.storage.__path__[0]).rglob("*.py"))
    unnamed = [
        f"{file.name}: {found[0]}" for file in files for found in UNNAMED_NUMBER.finditer(file.read_text())
    ]
    assert files
    assert unnamed == []


IDENTIFIER_NUMBERS = {name.split("_")[0]: number for number, name in enumerate(IDENTIFIER_KINDS, start=1)}
FAULT_NUMBERS = {"fault": FAULTS.fault_kind, "caution": CAUTION_CODES.fault_kind}


@pytest.mark.parametrize(
    ("table", "numbers"), [("equipment_identifier", IDENTIFIER_NUMBERS), ("fault", FAULT_NUMBERS)]
)
async def test_kinds_are_numbered_alike_here_and_there(
    table: str, numbers: dict[str, int], context: Context
) -> None:
    """The schema can only write the numbers, so its comment names them and its check allows no other."""
    row = await context.database.row(
        "SELECT col_description(a.attrelid, a.attnum) AS told, pg_get_constraintdef(c.oid) AS allowed "
        "FROM pg_attribute a JOIN pg_constraint c ON c.conrelid = a.attrelid "
        "WHERE a.attrelid = $1::regclass AND a.attname = 'kind' AND c.conname = $1 || '_kind_check'",
        table,
    )
    assert row is not None
    told = {name.lower(): int(number) for number, name in re.findall(r"\b(\d) ([A-Za-z]+)", row["told"])}
    assert told == numbers
    allowed = {int(number) for number in re.findall(r"\b\d\b", row["allowed"])}
    assert {min(allowed), max(allowed)} == {min(numbers.values()), max(numbers.values())}
