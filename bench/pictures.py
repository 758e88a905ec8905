"""Draw the README's pictures from bench/results: the ladder of throughput, and latency by offered load.

python -m bench.pictures
"""

import re
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import orjson

_RESULTS = Path(__file__).parent / "results"
_IMAGES = Path(__file__).parents[1] / "docs" / "images"
_WIDTH, _LEFT, _BAR, _GAP = 760, 300, 20, 10
_STYLE = """<style>
text { font: 14px system-ui, sans-serif; fill: #1f2328 }
.soft { fill: #59636e } .ours { fill: #b35900 } .other { fill: #8c959f }
.line { fill: none; stroke-width: 2.5 } .line.ours { stroke: #b35900 } .line.other { stroke: #8c959f }
.grid { stroke: #d1d9e0 }
@media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .soft { fill: #9198a1 } .grid { stroke: #3d444d }
.ours { fill: #f0883e } .line.ours { stroke: #f0883e; fill: none } }
</style>"""


def main() -> int:
    draw(_IMAGES)
    return 0


def draw(folder: Path) -> None:
    """Both pictures of the kept results."""
    limit = orjson.loads((_RESULTS / "limit.json").read_bytes())["results"]
    peers = orjson.loads((_RESULTS / "peers.json").read_bytes())["comparisons"]
    exchange = next(each for each in peers if each["task"] == "code exchange")
    (folder / "throughput.svg").write_text(_ladder(_rates(exchange["medians"])))
    (folder / "latency.svg").write_text(_lines(_latencies(limit)))


def _rates(medians: dict[str, Any]) -> list[tuple[str, float]]:
    rates = [(name, done["rate"]) for name, done in medians.items()]
    return sorted(rates, key=lambda each: each[1])


def _latencies(results: Sequence[dict[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """The latencies by contender: share of our peak in percent, p99 in ms."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for result in results:
        offered = re.fullmatch(r"code exchange, (\d+) % of our peak offered", result["name"])
        for name, done in result["medians"].items() if offered else ():
            lines.setdefault(name, []).append((float(offered[1]), done["p99_ms"]))  # type: ignore[index]
    return lines


def _ladder(rates: Sequence[tuple[str, float]]) -> str:
    most = max(rate for _, rate in rates)
    rows = []
    for number, (name, rate) in enumerate(rates):
        top = 40 + number * (_BAR + _GAP)
        length = rate / most * (_WIDTH - _LEFT - 90)
        kind = "ours" if name.startswith("ours") else "other"
        rows += [
            f'<text x="{_LEFT - 10}" y="{top + 15}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{max(length, 1):.1f}" height="{_BAR}" rx="3"/>',
            f'<text x="{_LEFT + length + 8:.1f}" y="{top + 15}">{rate:,.0f}</text>',
        ]
    title = '<text class="soft" x="0" y="20">Code exchanges a second, 32 connections, medians</text>'
    return _svg(40 + len(rates) * (_BAR + _GAP), title, *rows)


def _lines(lines: dict[str, list[tuple[float, float]]]) -> str:
    height, left, bottom, top = 320, 60, 270, 40
    most = max(p99 for points in lines.values() for _, p99 in points) * 1.1
    parts = ['<text class="soft" x="0" y="20">p99 of a code exchange in ms, by load offered</text>']
    for step in range(5):
        y = bottom - step / 4 * (bottom - top)
        parts.append(f'<line class="grid" x1="{left}" x2="{_WIDTH - 150}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="soft" x="{left - 8}" y="{y + 5:.1f}" text-anchor="end">{most * step / 4:.1f}</text>'
        )
    for name, points in lines.items():
        placed = [
            (left + share / 100 * (_WIDTH - 150 - left), bottom - p99 / most * (bottom - top))
            for share, p99 in points
        ]
        kind = "ours" if name == "ours" else "other"
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline class="line {kind}" points="{path}"/>')
        parts.append(f'<text x="{placed[-1][0] + 10:.1f}" y="{placed[-1][1] + 5:.1f}">{escape(name)}</text>')
    for share in (10, 25, 50, 75, 90):
        x = left + share / 100 * (_WIDTH - 150 - left)
        parts.append(
            f'<text class="soft" x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{share} %</text>'
        )
    parts.append(f'<text class="soft" x="{left}" y="{bottom + 42}">of what we answer at most</text>')
    return _svg(height, *parts)


def _svg(height: int, *parts: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
    return "\n".join([head, _STYLE, *parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
