"""`make bench`: a service of its own in a temporary folder, people in it, locust against it, a summary at the end.

Example: python bench/run.py --users 20 --seconds 60
"""

import argparse
import asyncio
import csv
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from app import __version__
from app.aemp.simulate import simulate_fleet
from app.context import Context, open_context
from app.embedded.removal import remove
from app.flows.add_customer import add_customer
from app.flows.import_fleet import import_machines
from app.flows.register_application import register_application
from app.settings import PREFIX, load_settings
from app.storage.migrations import apply_migrations, read_migrations
from app.stores import open_stores

HERE = Path(__file__).parent
REDIRECT_URI = "https://bench.example/callback"
MACHINES = 60
PASSWORD = "a password of the bench"


def main() -> int:
    options = read_options()
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    data_dir = Path(tempfile.mkdtemp(prefix="rovitracker-bench-"))
    try:
        people = data_dir / "people.json"
        people.write_text(json.dumps(asyncio.run(seed(data_dir, options.users))))
        with service(data_dir, options.workers) as address:
            code = run_locust(options, address, people)
    finally:
        remove(data_dir)
        shutil.rmtree(data_dir, ignore_errors=True)
    summarise(options)
    return code


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=16, help="customers at once (default 16)")
    parser.add_argument("--seconds", type=int, default=60, help="how long (default 60)")
    parser.add_argument(
        "--workers", type=int, default=max(1, (os.cpu_count() or 2) // 2), help="processes of the service"
    )
    parser.add_argument(
        "--out", type=Path, default=HERE / "out", help="where CSV and HTML go (default bench/out)"
    )
    return parser.parse_args()


async def seed(data_dir: Path, users: int) -> dict[str, object]:
    """One application, and a customer with a fleet for each user: of one customer only the ten newest tokens live."""
    settings = load_settings(data_dir=data_dir)
    with open_stores(settings) as stores:
        await apply_migrations(stores.owner_url, read_migrations())
        async with open_context(settings, stores) as context:
            registered = await register_application(
                context, name="Bench", company="Bench Ltd", redirect_uris=(REDIRECT_URI,)
            )
            customers = [await add(context, number) for number in range(users)]
    application = {
        "client_id": str(registered.client.id),
        "client_secret": registered.client_secret,
        "redirect_uri": REDIRECT_URI,
    }
    return {"application": application, "customers": customers}


async def add(context: Context, number: int) -> dict[str, object]:
    email = f"customer{number}@bench.example"
    member = await add_customer(context, email=email, name=f"Customer {number}", password=PASSWORD)
    now = datetime.now(UTC)
    machines = tuple(simulate_fleet(machines=MACHINES, days=1, interval_s=3600, seed=number, now=now))
    await import_machines(context, member.customer_id, machines)
    return {"email": email, "password": PASSWORD, "machines": MACHINES}


@contextmanager
def service(data_dir: Path, workers: int) -> Iterator[str]:
    """`rovitracker serve` on a free loopback port, stopped at the end whatever happens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"DATA_DIR": data_dir, "PORT": port, "WORKERS": workers, "LOG_LEVEL": "error"}
    environment = {**os.environ, **{PREFIX + name: str(value) for name, value in settings.items()}}
    process = subprocess.Popen([sys.executable, "-m", "app", "serve"], env=environment)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(address, process)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def wait_until_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("bench: the service did not get ready")


def run_locust(options: argparse.Namespace, address: str, people: Path) -> int:
    command = [
        *(
            sys.executable,
            "-m",
            "locust",
            "--headless",
            "--only-summary",
            "--locustfile",
            HERE / "locustfile.py",
        ),
        *("--host", address, "--users", options.users, "--spawn-rate", options.users),
        *("--run-time", f"{options.seconds}s", "--stop-timeout", 5, "--reset-stats"),
        *("--csv", options.out / "bench", "--csv-full-history", "--html", options.out / "bench.html"),
    ]
    environment = {**os.environ, "BENCH_PEOPLE": str(people)}
    done = subprocess.run(list(map(str, command)), env=environment, timeout=options.seconds + 90, check=False)
    return done.returncode


def summarise(options: argparse.Namespace) -> None:
    """A line a kind of request, and the set-up without which the figures mean nothing."""
    with (options.out / "bench_stats.csv").open() as file:
        rows = list(csv.DictReader(file))
    print(f"\n{'request':<16}{'count':>8}{'fail':>6}{'per s':>8}{'p50 ms':>8}{'p99 ms':>8}")
    for row in rows:
        print(
            f"{row['Name']:<16}{row['Request Count']:>8}{row['Failure Count']:>6}"
            f"{float(row['Requests/s']):>8.0f}{row['50%']:>8}{row['99%']:>8}"
        )
    print(
        f"\nRoviTracker {__version__}, Python {platform.python_version()}, {os.cpu_count()} cores shared by PostgreSQL, "
        f"Valkey,\n{options.workers} service process(es) and locust; {options.users} users in a closed loop, "
        f"{options.seconds} s.\nReport: {options.out / 'bench.html'}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
