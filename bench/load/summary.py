"""Rounds in short: medians as a table for people and as figures for programs, and ratios with their spread."""

from collections.abc import Sequence
from statistics import median

from bench.load.rounds import Round, Rounds

# What is told of a round: its attribute, its heading, and how the median is written.
_COLUMNS = (
    ("rate", "requests/s", ",.0f"),
    ("p50_ms", "p50 ms", ".2f"),
    ("p99_ms", "p99 ms", ".2f"),
    ("service_us", "service µs", ".0f"),
    ("postgres_us", "PostgreSQL µs", ".0f"),
    ("valkey_us", "Valkey µs", ".0f"),
    ("server_us", "together µs", ".0f"),
    ("generator_us", "generator µs", ".0f"),
    ("elsewhere", "elsewhere", ".0%"),
)


def table(rounds: Rounds) -> str:
    """Medians, as markdown."""
    lines = [
        "| | " + " | ".join(heading for _, heading, _ in _COLUMNS) + " |",
        "| --- |" + " ---: |" * len(_COLUMNS),
    ]
    for name, done in rounds.items():
        found = _medians(done)
        cells = [name, *(format(found[attribute], form) for attribute, _, form in _COLUMNS)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(pairs: Sequence[float]) -> str:
    """The median of ratios, and the least and the most of them."""
    return f"{median(pairs):.2f} ({min(pairs):.2f} to {max(pairs):.2f})"


def _medians(done: Sequence[Round]) -> dict[str, float]:
    return {attribute: median(getattr(each, attribute) for each in done) for attribute, _, _ in _COLUMNS}
