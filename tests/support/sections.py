"""Parts of docs/guarantees.md that a command writes, each between two comments of its name."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.load.machine import describe_machine
from tests.support.server import ROOT

PAGE = ROOT / "docs" / "guarantees.md"


def section_of(name: str, page: Path = PAGE) -> str:
    """Raises ValueError when the page has no such part, or two."""
    begin, end = _marks(name)
    text = page.read_text()
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"{page.name} needs one line {begin.strip()}, and one line {end.strip()} behind it")
    return text.partition(begin)[2].partition(end)[0]


def write_section(name: str, text: str, page: Path = PAGE) -> None:
    """Put the text between the comments. Raises ValueError as above, and leaves the page as it was then."""
    begin, end = _marks(name)
    old = section_of(name, page)
    page.write_text(page.read_text().replace(f"{begin}{old}{end}", f"{begin}{text}{end}"))


def circumstances() -> dict[str, Any]:
    """The day (UTC) and the machine of a run, for its record."""
    return {"date": datetime.now(UTC).date().isoformat(), "machine": describe_machine()}


def day_of(record: Mapping[str, Any]) -> str:
    """Such as "1 December 2026"."""
    day = datetime.fromisoformat(record["date"])
    return f"{day.day} {day:%B %Y}"


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->\n", f"<!-- /{name} -->"
