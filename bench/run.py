"""`make bench`: start a service of its own, put the load of locustfile.py on it, and say in short what came out."""

import argparse
import csv
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import orjson
import psutil

from app.embedded import EmbeddedError, attach
from app.embedded.removal import remove
from bench.machine import ProcessorTime, cores, describe_machine, read_processor_time
from bench.seed import SeedError, Service, seed_accounts

HERE = Path(__file__).parent

_USERS_AN_ACCOUNT = 5
_START_S = 60.0
_STOP_S = 25.0  # the service gives requests under way 20
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
    except (BenchError, SeedError, EmbeddedError, OSError) as error:
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
        service = Service(folder, _free_port())
        stack.callback(remove, service.data_dir)
        embedded = stack.enter_context(attach(service.data_dir))
        accounts = folder / "accounts.json"
        count = -(-size.users // _USERS_AN_ACCOUNT)
        print(f"Seeding {count} account(s) of {size.machines} machines each", flush=True)
        accounts.write_bytes(orjson.dumps(seed_accounts(service, count, machines=size.machines)))
        served = stack.enter_context(_serving(service, size.workers, out / "service.log"))
        print(f"Loading {service.url} for {size.seconds} s", flush=True)
        before, began = read_processor_time(served.pid, embedded), time.monotonic()
        code = _load(service, size, accounts, out)
        took_s = time.monotonic() - began
        used = read_processor_time(served.pid, embedded).since(before)
    _report(size, used, took_s, out)
    return _judge(code, out)


@contextmanager
def _serving(service: Service, workers: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """In a session of its own, so that Ctrl-C reaches it through us, after the load has stopped."""
    command = [*service.command, "serve", "--workers", str(workers)]
    with log.open("wb") as stream:
        serving = subprocess.Popen(
            command,
            cwd=service.folder,
            env=service.environment,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        _wait_until_ready(service, serving, log)
        yield serving
    finally:
        _stop(serving)


def _wait_until_ready(service: Service, serving: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while serving.poll() is None and time.monotonic() < deadline:
        try:
            if httpx2.get(f"{service.url}/health/ready", timeout=2).status_code == httpx2.codes.OK:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise BenchError(f"the service does not become ready, see {log}")


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
        _stop(load)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        for descendant in psutil.Process(process.pid).children(recursive=True):
            descendant.kill()
        process.kill()
        process.wait()


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
