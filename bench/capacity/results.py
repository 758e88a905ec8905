"""What the model takes from bench/results, and the runs that judge it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.capacity.model import Costs, Measured, response_ms, utilisation

RESULTS = Path(__file__).parents[1] / "results"
_EXCHANGE = "code exchange"


@dataclass(frozen=True, slots=True)
class Check:
    """A run in which so much was offered: its median as measured, and as the model has it."""

    share: int  # of our peak, in percent
    rate: float
    used: float
    measured_ms: float
    modelled_ms: float

    @property
    def error(self) -> float:
        return self.modelled_ms / self.measured_ms - 1


def read(folder: Path = RESULTS) -> tuple[str, Measured, list[Check]]:
    """The machine, what was measured on it, and how the model fares at higher loads than the one it was fitted to."""
    limit, growth, aemp, traffic = (
        orjson.loads((folder / f"{name}.json").read_bytes())
        for name in ("limit", "growth", "aemp", "traffic")
    )
    runs = {each["name"]: each["medians"]["ours"] for each in limit["results"] if "ours" in each["medians"]}
    cores = int(re.match(r"\d+", limit["machine"])[0])  # type: ignore[index]  # it begins with them
    full = runs[_EXCHANGE]
    cost = full["server_us"] + full["generator_us"]  # the generator had its share of the same cores
    lowest, *others = _offered(runs)
    unloaded = lowest[1]["p50_ms"] * (1 - utilisation(lowest[1]["rate"], cost, cores))
    checks = [_check(share, run, unloaded, utilisation(run["rate"], cost, cores)) for share, run in others]
    page = aemp["pages"][0]["medians"]["large: 10,000 machines"]
    page_bytes = traffic["bytes"]["page, gzip"]
    readings = sum(each["readings"] for each in aemp["fleets"])
    measured = Measured(
        together=_costs(full),
        alone=_costs(lowest[1]),
        page=_costs(page),
        unloaded_ms=unloaded,
        wal=(growth["bytes_a_token"][0]["wal"], growth["bytes_a_token"][-1]["wal"]),
        kept=(growth["databases"][-1]["table_bytes"] + growth["databases"][-1]["index_bytes"])
        / growth["databases"][-1]["tokens"],
        http=sum(traffic["bytes"]["exchange"].values()),
        page_http=page_bytes["request"] + page_bytes["answer"],
        page_wal=page_bytes["wal"],
        reading_us=aemp["ingest"]["medians"]["taken in"]["cost_us"],
        reading_bytes=(aemp["bytes"]["table"] + aemp["bytes"]["index"]) / readings,
    )
    return limit["machine"], measured, checks


def _offered(runs: Mapping[str, Mapping[str, float]]) -> Sequence[tuple[int, Mapping[str, float]]]:
    """The runs of the open model by what was offered, in percent of our peak; the lowest first."""
    named = (
        (re.fullmatch(rf"{_EXCHANGE}, (\d+) % of our peak offered", name), run) for name, run in runs.items()
    )
    return sorted(((int(found[1]), run) for found, run in named if found), key=lambda each: each[0])


def _check(share: int, run: Mapping[str, float], unloaded_ms: float, used: float) -> Check:
    return Check(share, run["rate"], used, run["p50_ms"], response_ms(unloaded_ms, used))


def _costs(run: Mapping[str, Any]) -> Costs:
    return Costs(run["service_us"], run["postgres_us"], run["valkey_us"])
