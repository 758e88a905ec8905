"""`make bench`: a service of its own under locust's load, scenario after scenario."""

import sys
from functools import partial

from bench.ground import program
from bench.ground.lines import in_lines
from bench.load.machine import describe_machine
from bench.scenarios import report
from bench.scenarios.ground import laid_out
from bench.scenarios.measure import MeasureError, Result, measure
from bench.scenarios.options import Options, read_arguments

_SUMMARY = "bench.json"


def main() -> int:
    return program.end_well("bench", partial(_bench, read_arguments()), MeasureError, broken=1)


def _bench(options: Options) -> int:
    options.out.mkdir(parents=True, exist_ok=True)
    _forget_earlier(options)
    with laid_out(options) as ground:
        results = [_told(measure(scenario, ground, options)) for scenario in options.scenarios]
    return _report(results, options)


def _told(result: Result) -> Result:
    done, latency = result.figures["all"], result.figures["all"]["latency_ms"]
    spread = f", p50 {latency['p50']:.1f} ms, p99 {latency['p99']:.1f} ms" if latency else ""
    faults = f"; {len(result.faults)} fault(s)" if result.faults else ""
    print(f"  {done['rate']:.0f}/s{spread}{faults}", flush=True)
    return result


def _forget_earlier(options: Options) -> None:
    (options.out / _SUMMARY).unlink(missing_ok=True)
    for scenario in options.scenarios:
        for earlier in (*options.out.glob(f"{scenario.name}_*.csv"), *options.out.glob(f"{scenario.name}.*")):
            earlier.unlink()


def _report(results: list[Result], options: Options) -> int:
    document = report.document(results, options)
    (options.out / _SUMMARY).write_text(in_lines(document))
    print("", report.table(results), "", report.costs(results), "", sep="\n")
    load = options.load
    shape = f", {load.shape}" if load.shape else ""
    print(f"machine   {describe_machine()}")
    print(f"load      {load.users} users{shape}, {load.seconds:g} s after {load.warm_up_s:g} s; {load.model}")
    print(f"service   {options.workers} workers, private stores, locust on the same cores")
    print(f"results   {options.out / _SUMMARY}; of each scenario NAME.html, NAME_*.csv, NAME.log")
    for note in report.notes(results):
        print(f"note      {note}")
    faults = report.faults(results)
    for fault in faults:
        print(f"bench: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
