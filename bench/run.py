"""`make bench`: start a service of its own, put the load of locustfile.py on it, and say in short what came out."""

import argparse
import csv
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import orjson

from app.embedded import EmbeddedError, attach
from app.embedded.removal import remove
from bench.machine import ProcessorTime, cores, describe_machine, find_stores, read_processor_time
from bench.seed import SeedError, Service, seed_accounts
from bench.serving import ServingError, free_port, serving, stop

HERE = Path(__file__).parent

_USERS_AN_ACCOUNT = 5
_TASK_S = 10  # what a simulated user may still take when time is up
_SPARE_S = 60.0  # locust's own start, and its reports


class BenchError(Exception):
    """Why there is no result."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much load, and on what."""

    users: int
    seconds: int
    workers: int
    machines: int


def main() -> int:
    options = _read_arguments()
    size = Size(options.users, options.seconds, options.workers, options.machines)
    out: Path = options.out.resolve()
    # Ends like Ctrl-C: everything that was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return _bench(size, out)
    except (BenchError, SeedError, ServingError, EmbeddedError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted, everything is stopped", file=sys.stderr)
        return 128 + signal.SIGINT


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    workers = max(2, cores() // 2)
    for name, default, meaning in (
        ("--users", 20, "simulated users, each waiting for its answers"),
        ("--seconds", 60, "how long the load lasts"),
        ("--workers", workers, "processes that serve"),
        ("--machines", 250, "of each customer"),
    ):
        parser.add_argument(name, type=_count, default=default, help=f"{meaning} ({default})")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder of the results (bench/out)")
    return parser.parse_args()


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


def _bench(size: Size, out: Path) -> int:
    out.mkdir(parents=True, exist_ok=True)
    for earlier in out.glob("bench*"):
        earlier.unlink()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rovitracker-bench-")))
        service = Service(folder, free_port())
        stack.callback(remove, service.data_dir)
        embedded = stack.enter_context(attach(service.data_dir))
        accounts = folder / "accounts.json"
        count = -(-size.users // _USERS_AN_ACCOUNT)
        print(f"Seeding {count} account(s) of {size.machines} machines each", flush=True)
        accounts.write_bytes(orjson.dumps(seed_accounts(service, count, machines=size.machines)))
        served = stack.enter_context(
            serving(
                [*service.command, "serve", "--workers", str(size.workers)],
                url=f"{service.url}/health/ready",
                log=out / "service.log",
                folder=service.folder,
                environment=service.environment,
            )
        )
        print(f"Loading {service.url} for {size.seconds} s", flush=True)
        stores = find_stores(embedded)
        before, began = read_processor_time(served.pid, stores), time.monotonic()
        code = _load(service, size, accounts, out)
        took_s = time.monotonic() - began
        used = read_processor_time(served.pid, stores).since(before)
    _report(size, used, took_s, out)
    return _judge(code, out)


def _load(service: Service, size: Size, accounts: Path, out: Path) -> int:
    """Run locust to its end; its exit code."""
    command: list[str | Path] = [
        *(sys.executable, "-m", "locust", "--headless", "--only-summary", "--reset-stats"),
        *("--locustfile", HERE / "locustfile.py", "--accounts", accounts, "--host", service.url),
        *("--users", str(size.users), "--spawn-rate", str(max(1.0, 10 * size.users / size.seconds))),
        *("--run-time", f"{size.seconds}s", "--stop-timeout", str(_TASK_S)),
        *("--csv", out / "bench", "--html", out / "bench.html"),
    ]
    with (out / "locust.log").open("wb") as stream:
        load = subprocess.Popen(command, cwd=service.folder, stdout=stream, stderr=stream)
    try:
        return load.wait(timeout=size.seconds + _TASK_S + _SPARE_S)
    except subprocess.TimeoutExpired:
        raise BenchError(f"locust does not end, see {out / 'locust.log'}") from None
    finally:
        stop(load)


def _report(size: Size, used: ProcessorTime, took_s: float, out: Path) -> None:
    with (out / "bench_stats.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    print(f"\n{'':32}{'requests':>9}{'failed':>8}{'per s':>8}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}")
    for row in rows:
        name = row["Name"] if row["Type"] else "all"
        counts = f"{row['Request Count']:>9}{row['Failure Count']:>8}{float(row['Requests/s']):>8.1f}"
        print(f"{name:32}{counts}{row['50%']:>8}{row['95%']:>8}{row['99%']:>8}")
    shares = (("service", used.service_s), ("stores", used.stores_s), ("load generator", used.load_s))
    costs = ", ".join(f"{name} {100 * seconds / took_s:.0f} %" for name, seconds in shares)
    lines = (
        f"machine   {describe_machine()}",
        f"load      {size.users} users in a closed model: each waits for its answer before it asks again",
        f"service   {size.workers} workers, {size.machines} machines a customer, private stores on the same cores",
        f"processor {costs} of one core",
    )
    (out / "bench_setup.txt").write_text("\n".join(lines) + "\n")
    print("", *lines, f"results   {out / 'bench.html'}, {out / 'bench_stats.csv'}", sep="\n")


def _judge(code: int, out: Path) -> int:
    if code == 0:
        return 0
    with (out / "bench_failures.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            print(f"{row['Name']}: {row['Error']} ({row['Occurrences']} times)", file=sys.stderr)
    print(f"bench: the load failed, see {out / 'locust.log'}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
