"""The raw load generator: prepared requests over keep-alive connections, as light as Python can be.

    python -m bench.load.generator --url http://127.0.0.1:8000 --requests FILE --seconds 10

It prints one JSON document. Closed model: each connection has one request in flight. Open model (`--rate`): requests
begin by a schedule, and their latency is counted from it, so a server that falls behind is seen to (no coordinated
omission).
"""

import argparse
import asyncio
import gc
import sys
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import get_args
from urllib.parse import urlsplit

import orjson
import uvloop

from bench.load.models import Arrivals, Closed, Load, Model, Open, Sink, Tally
from bench.load.priority import stand_back
from bench.load.records import pack_answer, read_requests

_MOST_CONNECTIONS = {"closed": 32, "open": 512}


class GeneratorError(Exception):
    """Why there is nothing to report."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """requests: answered after the warm-up. rate: of the answers within `seconds`. cpu_s: of this process in them.

    later: of the statuses, how many said when to come again (Retry-After). ended: "time", or "used up" when every
    request had been sent before. unsent: scheduled, but no connection was free for it in time (open model).
    """

    model: str
    connections: int
    requests: int
    warm_up_requests: int
    statuses: dict[str, int]
    later: dict[str, int]
    errors: dict[str, int]
    unsent: int
    offered_rate: float | None
    seconds: float
    rate: float
    latency_ms: dict[str, float]
    cpu_s: float
    cpu_us_per_request: float | None
    ended: str


def generate(load: Load, sink: Sink | None = None) -> Outcome:
    """Put the load on and wait for its end. sink: gets index, status and body of every answer, those of the warm-up too."""
    if not load.requests:
        raise GeneratorError("there are no requests to send")
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()  # nothing here makes cycles, and a collection would stand in somebody's latency
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_generate(load, sink))
    except OSError as error:
        raise GeneratorError(f"{load.host}:{load.port}: {error}") from error
    finally:
        if collecting:
            gc.enable()


async def _generate(load: Load, sink: Sink | None) -> Outcome:
    tally = Tally()
    model = (Closed if load.rate is None else Open)(load, tally, sink)
    if not load.warm_up_s:  # then every answer counts, those of the connections that are loaded first too
        tally.begun_at = perf_counter()
    cpu = process_time()
    try:
        await model.start()
        if load.warm_up_s:
            if await _used_up(model, load.warm_up_s):
                raise GeneratorError("the warm-up used up every request")
            tally.begun_at, cpu = perf_counter(), process_time()
        ended = "used up" if await _used_up(model, load.seconds) else "time"
        tally.ended_at, cpu_s = perf_counter(), process_time() - cpu
    finally:
        model.stop()
        await model.settle()
    return _outcome(load, tally, model.unsent, cpu_s, ended)


def _outcome(load: Load, tally: Tally, unsent: int, cpu_s: float, ended: str) -> Outcome:
    seconds = tally.ended_at - tally.begun_at
    return Outcome(
        model="closed" if load.rate is None else f"open, {load.arrivals}",
        connections=load.connections,
        requests=sum(tally.statuses.values()),
        warm_up_requests=tally.warm_up_answers,
        statuses={str(status): count for status, count in sorted(tally.statuses.items())},
        later={str(status): count for status, count in sorted(tally.later.items())},
        errors=dict(tally.errors),
        unsent=unsent,
        offered_rate=load.rate,
        seconds=round(seconds, 4),
        rate=round(tally.in_time / seconds, 1),
        latency_ms=percentiles_ms(tally.latencies_s),
        cpu_s=round(cpu_s, 4),
        cpu_us_per_request=round(cpu_s / tally.in_time * 1e6, 2) if tally.in_time else None,
        ended=ended,
    )


async def _used_up(model: Model, seconds: float) -> bool:
    """Whether all was sent before so many seconds had passed."""
    try:
        await asyncio.wait_for(model.used_up.wait(), seconds)
    except TimeoutError:
        return False
    return True


def percentiles_ms(latencies_s: "array[float]") -> dict[str, float]:
    """The percentiles by nearest rank; empty without a latency."""
    if not latencies_s:
        return {}
    ordered = sorted(latencies_s)
    last = len(ordered) - 1
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {
        name: round(ordered[min(last, int(share * len(ordered)))] * 1e3, 3) for name, share in shares.items()
    }


def main() -> int:
    options = _read_arguments()
    try:
        if options.stand_back:
            stand_back()
        load = _load_of(options)
        if options.answers is None:
            outcome = generate(load)
        else:
            with options.answers.open("wb", buffering=1 << 20) as file:
                outcome = generate(load, lambda *answer: file.write(pack_answer(*answer)))
    except (GeneratorError, OSError, ValueError) as error:
        print(f"generator: {error}", file=sys.stderr)
        return 1
    print(orjson.dumps(asdict(outcome)).decode())
    return 0


def load_of(url: str, requests: Sequence[bytes], *, seconds: float = 60, once: bool = False) -> Load:
    """A closed load on an address such as http://127.0.0.1:8000."""
    address = urlsplit(url)
    if address.scheme != "http" or not address.hostname or not address.port:
        raise GeneratorError(f"{url!r} is no address such as http://127.0.0.1:8000")
    return Load(address.hostname, address.port, requests, seconds, once=once)


def _load_of(options: argparse.Namespace) -> Load:
    model = "closed" if options.rate is None else "open"
    return replace(
        load_of(options.url, read_requests(options.requests), seconds=options.seconds, once=options.once),
        connections=options.connections or _MOST_CONNECTIONS[model],
        rate=options.rate,
        arrivals=options.arrivals,
        seed=options.seed,
        source=options.source,
        warm_up_s=options.warm_up,
        timeout_s=options.timeout,
    )


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.load.generator", description=__doc__.partition("\n")[0]
    )
    add = parser.add_argument
    add("--url", required=True, help="http://HOST:PORT; paths are in the requests")
    add("--requests", type=Path, required=True, help="file of bench.load.records.write_requests")
    add("--seconds", type=float, default=10.0, help="how long it is measured (10)")
    add("--connections", type=int, help="closed model: 32; open model: at most 512")
    add("--once", action="store_true", help="send no request twice, and end when all are sent")
    add("--rate", type=float, help="open model: so many requests a second")
    add("--arrivals", choices=get_args(Arrivals), default="constant", help="of the open model (constant)")
    add("--seed", type=int, default=0, help="of Poisson arrivals (0)")
    add("--source", help="address to connect from, such as 127.0.0.2")
    add("--stand-back", action="store_true", help="let every other program of this machine go first")
    add("--answers", type=Path, help="file to write every answer to, for bench.load.records.read_answers")
    add("--warm-up", type=float, default=0.0, help="seconds of load before it is measured (0)")
    add("--timeout", type=float, default=10.0, help="seconds after which a request is given up (10)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
