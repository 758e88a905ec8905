"""Rounds in short: medians as a table for people and as figures for programs, and ratios with their spread."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from bench.load.rounds import Round, Rounds

# The figures told of a round: attribute, heading, and how the median is written.
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
_DIGITS = 6  # more than a table shows, so that its figures follow from these


def table(rounds: Rounds) -> str:
    """Medians, as markdown."""
    return table_of({name: _medians(done) for name, done in rounds.items()})


def table_of(medians: Mapping[str, Mapping[str, float]]) -> str:
    """A table by contender."""
    lines = [
        "| | " + " | ".join(heading for _, heading, _ in _COLUMNS) + " |",
        "| --- |" + " ---: |" * len(_COLUMNS),
    ]
    for name, found in medians.items():
        cells = [name, *(format(found[attribute], form) for attribute, _, form in _COLUMNS)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def medians(rounds: Rounds) -> dict[str, dict[str, float]]:
    """The same figures, by contender."""
    return {
        name: {attribute: round(figure, _DIGITS) for attribute, figure in _medians(done).items()}
        for name, done in rounds.items()
    }


def every_round(rounds: Rounds) -> dict[str, list[dict[str, Any]]]:
    """All that was measured, by contender."""
    return {name: [asdict(each) for each in done] for name, done in rounds.items()}


def spread(pairs: Sequence[float]) -> str:
    """The median of ratios, and the least and the most of them."""
    return f"{median(pairs):.2f} ({min(pairs):.2f} to {max(pairs):.2f})"


def spread_of(pairs: Sequence[float]) -> dict[str, float]:
    """The same as figures."""
    found = {"median": median(pairs), "least": min(pairs), "most": max(pairs)}
    return {name: round(figure, _DIGITS) for name, figure in found.items()}


def _medians(done: Sequence[Round]) -> dict[str, float]:
    return {attribute: median(getattr(each, attribute) for each in done) for attribute, _, _ in _COLUMNS}
