"""Fail-overs at length are kept as a table and as JSON, in the folder that FAILOVER_OUT names."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.ground.lines import in_lines
from bench.load.machine import describe_machine

_FOUND: list[dict[str, Any]] = []


def note(lost: str, *, operations: int, at_the_moment: int, back_s: Sequence[float], within_s: float) -> None:
    """Note a test that found no violation, before its times are judged: the table says both.

    lost: what was, in words. operations: in all. at_the_moment: codes that were redeemed when it was struck.
    back_s: after each strike, until codes were redeemed again.
    """
    _FOUND.append(
        {
            "lost": lost,
            "strikes": len(back_s),
            "operations": operations,
            "at_the_moment": at_the_moment,
            "violations": 0,
            "back_s": round(max(back_s), 2),
            "within_s": within_s,
        }
    )


def table_of(found: Sequence[Mapping[str, Any]]) -> str:
    """A row in Markdown for each test, with the longest time until codes were redeemed again."""
    lines = [
        "| | strikes | operations | codes redeemed at the moment | violations | back after | at most |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    counted = ("strikes", "operations", "at_the_moment", "violations")
    for each in found:
        cells = [each["lost"], *(f"{each[part]:,}" for part in counted)]
        lines.append(f"| {' | '.join(cells)} | {each['back_s']:.1f} s | {each['within_s']:g} s |")
    return "\n".join(lines)


def keep() -> None:
    """Write failover.md and failover.json, when a folder is named and something was noted."""
    folder = os.environ.get("FAILOVER_OUT")
    if not folder or not _FOUND:
        return
    out, about = Path(folder), [describe_machine(), "### Fail-overs under load"]
    out.mkdir(parents=True, exist_ok=True)
    (out / "failover.md").write_text("\n\n".join([*about, table_of(_FOUND)]) + "\n")
    (out / "failover.json").write_text(in_lines({"about": about, "results": _FOUND}))
