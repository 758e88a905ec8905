"""The load test at smoke size: it loads, it notices what is wrong, and it stops what it started."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from app.embedded.removal import remove
from tests.support.server import ROOT, free_port, running_service

LOCUSTFILE = ROOT / "bench" / "scenarios" / "locustfile.py"
SMALL = ("--users", "4", "--machines", "101")


def command(out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "bench.scenarios", "--out", str(out), *options]


def environment(folder: Path) -> dict[str, str]:
    """Let a run keep its temporary files where its leftovers can be looked at."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}


def address_in(text: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+", text)
    assert found, text
    return found[0]


def answers(address: str) -> bool:
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=2).close()
    except OSError:
        return False
    return True


def run(folder: Path, *options: str) -> tuple[int, str, dict[str, Any]]:
    """Exit status, what was printed, and the summary. Nothing is left running or lying about."""
    out, temporary = folder / "out", folder / "tmp"
    temporary.mkdir()
    done = subprocess.run(
        command(out, *options), env=environment(temporary), capture_output=True, text=True, check=False
    )
    printed = done.stdout + done.stderr
    assert (out / "bench.json").exists(), printed
    assert not answers(address_in(done.stdout))
    assert not list(temporary.iterdir())
    return done.returncode, printed, json.loads((out / "bench.json").read_text())


def test_smoke_run_loads_and_checks_without_a_fault(tmp_path: Path) -> None:
    """`mix` asks everything but refreshes; the capped exchange is the one whose tokens end while it runs."""
    status, printed, summary = run(
        tmp_path, "--scenario", "code_exchange_capped", "refresh", "mix", *SMALL, "--seconds", "2"
    )
    assert status == 0, printed
    refresh = summary["scenarios"]["refresh"]
    assert refresh["tokens_found_in_postgresql"] == refresh["answered"] > 100
    capped, mix = (summary["scenarios"][name] for name in ("code_exchange_capped", "mix"))
    assert capped["tokens_found_in_postgresql"] == capped["answered"] > 100
    assert mix["parts"].keys() >= {"/app/oauth2/token", "/app/oauth2/introspect", "/api/v2/Fleet/{page}"}
    assert mix["missing"] == mix["faults"] == []
    assert mix["tokens_found_in_postgresql"] > 0
    assert mix["all"]["requests"] == sum(part["requests"] for part in mix["parts"].values())
    assert mix["generator_share_of_a_core"] > 0
    assert "cores" in summary["machine"]
    for name in summary["scenarios"]:
        with (tmp_path / "out" / f"{name}_stats.csv").open(newline="") as file:
            rows = {row["Name"]: row for row in csv.DictReader(file)}
        assert all(int(row["Failure Count"]) == 0 for row in rows.values())
        assert "/app/oauth2/token" in (tmp_path / "out" / f"{name}.html").read_text()


def test_steps_of_the_open_model_add_load_and_a_slow_answer_is_a_fault(tmp_path: Path) -> None:
    """40/s are due at the top, whatever the machine; no answer comes within a microsecond."""
    shape = (
        "--model",
        "open",
        "--rate",
        "40",
        "--shape",
        "steps",
        "--seconds",
        "8",
        "--warm-up",
        "0.5",
        "--p99",
        "0.001",
    )
    status, printed, summary = run(tmp_path, "--scenario", "introspect", *SMALL, *shape)
    assert status == 1
    (fault,) = summary["scenarios"]["introspect"]["faults"]
    assert re.fullmatch(r"/app/oauth2/introspect: p99 \d+ ms, at most 0", fault)
    assert fault in printed
    rates = [phase["rate"] for phase in summary["scenarios"]["introspect"]["phases"].values()]
    assert len(rates) == 4
    assert rates[0] < 20 < rates[3] <= 60


@contextmanager
def loading(folder: Path, seconds: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A run whose load has begun, in a process group of its own; and the address of its service."""
    temporary = folder / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        command(folder / "out", "--scenario", "full_flow", *SMALL, "--seconds", str(seconds)),
        env=environment(temporary),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process, process.stdout:
        line = next(line for line in process.stdout if line.startswith("  loading"))
        yield process, address_in(line)
    assert not list(temporary.iterdir())


def test_interrupted_run_stops_what_it_started(tmp_path: Path) -> None:
    """Ctrl-C goes to the whole foreground group, not to our process alone."""
    with loading(tmp_path, seconds=60) as (process, address):
        assert answers(address)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert not answers(address)


def test_service_that_dies_fails_the_run(tmp_path: Path) -> None:
    with loading(tmp_path, seconds=4) as (process, _address):
        children = psutil.Process(process.pid).children()
        (service,) = [child for child in children if "serve" in child.cmdline()]
        for victim in (service, *service.children(recursive=True)):
            victim.kill()
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "status 0, " in printed


@pytest.fixture(scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, Path]]:
    """A demo run: its address, and the demo.json it keeps."""
    data_dir = tmp_path_factory.mktemp("demo") / "data"
    settings = {"ROVITRACKER_DATA_DIR": str(data_dir)}
    async with running_service("demo", port=free_port(), settings=settings) as address:
        yield address, data_dir / "demo.json"
    remove(data_dir)


def load(
    address: str, accounts: Path, *, users: int = 2, seconds: int = 2
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "locust",
                "--headless",
                "--only-summary",
                "--locustfile",
                str(LOCUSTFILE),
                "FullFlow",
            ),
            *("--host", address, "--users", str(users), "--spawn-rate", "10", "--run-time", f"{seconds}s"),
            *("--stop-timeout", "10", "--accounts", str(accounts)),
        ],
        cwd=accounts.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_locustfile_runs_on_a_demo(demo: tuple[str, Path]) -> None:
    done = load(*demo, seconds=6)  # a slow machine takes two for one flow
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("changed", "unanswered"),
    [
        ({"client_secret": "rovi_cs_wrong"}, "/api/v2/Fleet/{page}"),
        ({"password": "wrong"}, "/app/oauth2/token"),
    ],
)
def test_wrong_answers_fail_the_run(
    demo: tuple[str, Path], tmp_path: Path, changed: dict[str, str], unanswered: str
) -> None:
    address, kept = demo
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps({**json.loads(kept.read_text()), **changed}))
    done = load(address, accounts)
    assert done.returncode == 1
    assert re.search(rf"\d failed request\(s\); never answered: .*{re.escape(unanswered)}", done.stdout)


def test_fleet_that_is_not_whole_fails_the_run(demo: tuple[str, Path], tmp_path: Path) -> None:
    address, kept = demo
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps({**json.loads(kept.read_text()), "machines": 99}))
    assert load(address, accounts).returncode == 1


def test_more_users_than_live_tokens_are_refused(demo: tuple[str, Path]) -> None:
    """Their newer tokens would end the older ones, and a good service would look broken."""
    done = load(*demo, users=11)
    assert done.returncode == 1
    assert "at most 10 users" in done.stderr
