"""docs/capacity.md as text."""

from collections.abc import Sequence
from textwrap import fill

from bench.capacity.model import (
    DATABASE_CORES,
    DISK_OF_A_SERVER,
    UTILISATION,
    WAL_OF_A_SERVER,
    Costs,
    FleetNeeds,
    Measured,
    Needs,
    fleet_needs,
    needs,
    response_ms,
)
from bench.capacity.results import Check

RATES = (1_000, 100_000, 10_000_000)
MACHINES = 10_000_000
WIDTH = 128
POLLED_S, PAGE, TOLD_S, METRICS, KEPT_DAYS = 60, 100, 300, 10, 400
MEASURED, MODELLED = "measured", "modelled"

_HEAD = """# Capacity

What more tokens and more machines would need, on paper. `python -m bench.capacity` writes this page from
[bench/results](../bench/results), and a test holds it to them. Each figure is marked. *Measured* was seen on the machine below.
*Modelled* was calculated from that, and nobody has seen it. A site that is near such a load should measure its own.

Machine: {machine}.
"""

_MODEL = """## The model

Requests that wait for the same statement share it. A round of n requests takes a + b·n, and n is what came during a round. So
the answer takes as long as in a queue whose processor is shared by all (M/G/1-PS): the time of an idle machine, divided by one
less the utilisation. Utilisation is the rate times the processor time of one request at full load, over both cores. The time of
an idle machine, {unloaded:.2f} ms, is fitted to the run at the lowest rate. These runs judge it, from `make bench-limit
BENCH="--only exchange loads"`:

| offered, of our peak | exchanges/s, measured | utilisation, modelled | median ms, measured | ms, modelled | error |
| ---: | ---: | ---: | ---: | ---: | ---: |
{rows}

The model says a mean, and the runs a median. It says nothing of the slowest answers: their p99 was two to three times the median.
"""

_DECIDED = """## What is decided

Processes, databases and Valkeys are planned to be busy for {used:.0%} of the time, where an exchange takes {planned:.1f} ms
(modelled). A database server has {cores} cores and {disk:.0f} TB, and writes {wal:.0f} MB of WAL a second. For each kind add one for the machine that
is lost, and a standby for each shard, which takes as much WAL from the network and writes as much.
"""


def page_of(machine: str, measured: Measured, checks: Sequence[Check]) -> str:
    """Markdown."""
    planned = response_ms(measured.unloaded_ms, UTILISATION)
    text = "\n".join(
        (
            _HEAD.format(machine=machine),
            _costs(measured),
            _MODEL.format(unloaded=measured.unloaded_ms, rows="\n".join(map(_check, checks))),
            _DECIDED.format(
                used=UTILISATION,
                disk=DISK_OF_A_SERVER / 1e12,
                planned=planned,
                cores=DATABASE_CORES,
                wal=WAL_OF_A_SERVER / 1e6,
            ),
            _tokens(measured, [needs(rate, measured) for rate in RATES]),
            _machines(
                fleet_needs(
                    MACHINES,
                    measured,
                    polled_s=POLLED_S,
                    page=PAGE,
                    told_s=TOLD_S,
                    metrics=METRICS,
                    kept_days=KEPT_DAYS,
                )
            ),
        )
    )
    return "\n\n".join(map(_wrapped, text.strip().split("\n\n"))) + "\n"


def _wrapped(part: str) -> str:
    """A paragraph in lines of the documents' width; tables and headings as they are."""
    if part.startswith(("|", "#")):
        return part
    return fill(part, WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 2), "---"], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _costs(measured: Measured) -> str:
    def of(costs: Costs) -> tuple[str, str, str]:
        return f"{costs.service:,.0f}", f"{costs.postgres:,.0f}", f"{costs.valkey:,.0f}"

    rows = [
        ("code exchange, many at once", *of(measured.together), MEASURED),
        ("code exchange, alone", *of(measured.alone), MEASURED),
        (f"page of {PAGE} machines", *of(measured.page), MEASURED),
    ]
    sizes = [
        ("WAL of an exchange, pages at hand", f"{measured.wal[0]:,.0f}", MEASURED),
        ("WAL of an exchange among 20 million tokens", f"{measured.wal[1]:,.0f}", MEASURED),
        ("tables and indexes, grant and token", f"{measured.kept:,.0f}", MEASURED),
        ("request and answer of an exchange", f"{measured.http:,.0f}", MEASURED),
        (
            f"request and answer of a page of {PAGE} machines, JSON with gzip",
            f"{measured.page_http:,.0f}",
            MEASURED,
        ),
        ("WAL of a page that is read", f"{measured.page_wal:,.0f}", MEASURED),
        ("tables and indexes, a reading", f"{measured.reading_bytes:,.0f}", MEASURED),
    ]
    return (
        "## What one request costs\n\nProcessor time in µs:\n\n"
        + _table(("", "service", "PostgreSQL", "Valkey", ""), rows)
        + "\n\nBytes:\n\n"
        + _table(("", "bytes", ""), sizes)
        + f"\n\nA reading that is taken in costs {measured.reading_us:.1f} µs (measured). TLS and TCP come on top of requests and "
        "answers.\n"
    )


def _check(check: Check) -> str:
    return (
        f"| {check.share} % | {check.rate:,.0f} | {check.used:.2f} | {check.measured_ms:.2f} "
        f"| {check.modelled_ms:.2f} | {check.error:+.0%} |"
    )


def _tokens(measured: Measured, found: Sequence[Needs]) -> str:
    head = ("", *(f"{rate:,}/s" for rate in RATES), "")
    rows = [
        ("service processes, a core each", *(f"{each.processes:,}" for each in found), MODELLED),
        ("shards of PostgreSQL", *(f"{each.shards:,}" for each in found), MODELLED),
        ("cores of PostgreSQL in all", *(f"{each.postgres_cores:,.1f}" for each in found), MODELLED),
        ("Valkey primaries, a core each", *(f"{each.valkeys:,}" for each in found), MODELLED),
        ("vCPU needed", *(f"{each.cores:,}" for each in found), MODELLED),
        ("requests and answers, MB/s", *(f"{each.http / 1e6:,.1f}" for each in found), MODELLED),
        ("WAL, to disk and to each standby, MB/s", *(f"{each.wal / 1e6:,.0f}" for each in found), MODELLED),
        ("new rows, GB a day", *(f"{each.kept_a_day / 1e9:,.0f}" for each in found), MODELLED),
        ("requests share statements", *("yes" if each.gathered else "no" for each in found), MODELLED),
    ]
    return (
        "## Tokens\n\nCode exchanges a second, the dearest way to a token:\n\n"
        + _table(head, rows)
        + "\n\nWAL decides how many shards there are. It is mostly whole pages, written once after each checkpoint: rarer "
        f"checkpoints bring it from {measured.wal[1]:,.0f} bytes towards {measured.wal[0]:,.0f}. At ten million tokens a second "
        "each process has so many shards to talk to that no two of its requests share a statement. Then an exchange costs what "
        "it costs alone. Leading the requests of one application to few processes would bring that back.\n"
    )


def _machines(fleet: FleetNeeds) -> str:
    found = fleet.needs
    rows = [
        ("pages a second", f"{fleet.pages:,.0f}", MODELLED),
        ("readings a second", f"{fleet.readings:,.0f}", MODELLED),
        ("service processes, a core each", f"{found.processes:,}", MODELLED),
        ("shards of PostgreSQL", f"{found.shards:,}", MODELLED),
        ("cores of PostgreSQL in all", f"{found.postgres_cores:,.1f}", MODELLED),
        ("vCPU needed", f"{found.cores:,}", MODELLED),
        ("requests and answers, MB/s", f"{found.http / 1e6:,.0f}", MODELLED),
        ("WAL, MB/s", f"{found.wal / 1e6:,.0f}", MODELLED),
        ("new readings, GB a day", f"{found.kept_a_day / 1e9:,.0f}", MODELLED),
        (f"readings of {KEPT_DAYS} days, TB", f"{fleet.kept / 1e12:,.0f}", MODELLED),
    ]
    return (
        f"## Machines\n\n{MACHINES:,} machines, each read once every {POLLED_S} s on a page of {PAGE}. Each reports {METRICS} "
        f"metrics every {TOLD_S // 60} minutes, so no page is given again from memory:\n\n"
        + _table(("", "needs", ""), rows)
        + "\n\nDisk decides how many shards there are: how long readings are kept is a setting of the table `retention`. WAL of readings is counted as the bytes of their rows and indexes; whole pages come on top. The service processes "
        "that take readings in are not counted.\n"
    )
