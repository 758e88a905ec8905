"""Every command of the README works in a fresh copy: set up, started, probed and stopped as a newcomer would."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from app.embedded import default_data_dir
from app.embedded.removal import remove
from tests.pages.visitor import find_chromium
from tests.support.depth import too_long
from tests.support.server import ROOT, free_port

README = (ROOT / "README.md").read_text()

# Commands that no test can run, and why.
NOT_RUN = {
    "make test": "it is this very run: the suite would start itself without end",
    "make conformance": "half the suite, many times over; tests/conformance/test_faults.py runs a part of it",
    "make check-long": "what the suite has no time for, some tests of this file among them",
    "make audit": "it asks a service on the network; tests/test_audit.py runs it against one that is not there",
    "make check-door": "the tests of the door at depth; the suite has each in a short form",
    "make check-clients": "it installs others' software; the suite runs what needs none, in tests/clients",
    "make check-compiled": "the suite once more; tests/compiled compiles one room and runs its tests",
    "make check-containers": "it needs an engine; the suite runs it where there is none, and replays the image's steps",
    "make check-failover": "fail-overs at length; the suite has each kind of them once, in tests/failover",
    "make check-faults": "faults at length; the suite has a smoke run of it, in tests/faults",
    "make check-distributed": "it needs the programs of Citus; the suite runs its SQL on a plain server, in tests/storage",
    "make check-model": "it needs spin; the suite searches each model where spin is, in tests/model",
    "make check-soak": "ten minutes of load; the suite has some seconds of it, in tests/soak",
    "make browsers": "it installs a package on the machine, which CI does before this suite",
}

# Most of what is installed is never imported here, so pip need not compile it. The option is turned on by a no.
HASTE = {"PIP_NO_COMPILE": "no"}

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh `git clone`, without anything that a developer's folder has beside it."""
    folder = tmp_path_factory.mktemp("newcomer") / "rovitracker"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    yield folder
    remove(default_data_dir(folder))
    shutil.rmtree(
        default_data_dir(folder), ignore_errors=True
    )  # root's lies outside the copy; no test may have run


def make(folder: Path, *arguments: str, **variables: str) -> str:
    done = subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**os.environ, **HASTE, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"make {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def made_running(folder: Path, port: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`make run` on another port than the standard one, which may be taken here; ended like Ctrl+C ends it."""
    with subprocess.Popen(
        ["make", "run"],
        cwd=folder,
        env={**os.environ, **HASTE, "ROVITRACKER_PORT": str(port)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield f"http://localhost:{port}", process
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # or it would hold what the next test needs
                raise


def read_announcement(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "client_secret" in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


def read_refusal(process: subprocess.Popen[str]) -> str:
    """The first line about a refused request."""
    assert process.stdout is not None
    return next(line for line in process.stdout if "(reference" in line)


def wait_until_ready(address: str) -> None:
    transport = httpx2.HTTPTransport(retries=20)  # connecting again, with growing pauses
    with httpx2.Client(base_url=address, transport=transport, timeout=30) as client:
        assert client.get("/health/ready").json()["status"] == "ok"


def test_a_clone_and_make_run_lead_to_the_consent_page(copy: Path) -> None:
    with made_running(copy, free_port()) as (address, process):
        announced = read_announcement(process)
        wait_until_ready(address)
        link = re.findall(rf"{address}/app/oauth2/authorize\S+", announced)[0]
        page = httpx2.get(link)
        refused = httpx2.get(f"{link}x")  # leads to an address that is not registered
        line = read_refusal(process)
    assert refused.status_code == 400
    reference = refused.headers["x-request-id"]
    assert reference in refused.text
    assert re.match(r"\d\d:\d\d:\d\d  400  GET /app/oauth2/authorize  \w+: .*redirect_uri", line), line
    assert line.endswith(f"(reference {reference})\n")
    assert page.status_code == 200
    assert "Sitewise Rentals" in page.text


def test_a_second_make_run_prints_the_same_sign_in(copy: Path) -> None:
    printed = []
    for _ in range(2):
        with made_running(copy, free_port()) as (_address, process):
            printed.append(re.findall(r"(?:password|client_secret) +(\S+)", read_announcement(process)))
    assert printed[0] == printed[1]
    assert len(printed[0]) == 2


def test_make_lists_its_commands(copy: Path) -> None:
    listed = make(copy)
    assert all(
        f"make {target}" in listed for target in ("run", "install", "test", "lint", "screenshots", "browsers")
    )
    assert all(
        f"make bench{part} " in listed
        for part in ("", "-aemp", "-compare", "-growth", "-limit", "-peers", "-profile", "-strain")
    )


def test_make_lint_passes() -> None:
    """It needs no clone: the set-up that it would make is the one by which this suite runs."""
    make(ROOT, "lint")


@too_long("the set-up and the checks pass in a clone without any")
def test_make_install_and_lint_pass(copy: Path) -> None:
    make(copy, "install")
    make(copy, "lint")


@too_long("the load test runs from a clone")
def test_make_bench_runs_at_smoke_size(copy: Path) -> None:
    assert "bench.json" in make(copy, "bench", BENCH="--scenario full_flow --users 2 --seconds 1")


def test_make_screenshots_takes_them_or_says_what_is_missing(copy: Path) -> None:
    """The tour of the other pages is that of tests/pages/test_accessibility.py."""
    said = make(copy, "screenshots", VIEWS="phone-dark --until home")
    if find_chromium() is None:
        assert "No pictures: no Chromium here" in said
    else:
        assert "consent-light.png" in said
        assert "register.png" in said
        assert (copy / "docs" / "images" / "all" / "home-phone-dark.png").exists()


RUN = {
    "git clone <this repository> rovitracker && cd rovitracker",
    "make run",
    "make",
    "make install",
    "make lint",
    "make bench",
    "make screenshots",
}


def test_no_command_of_the_readme_is_left_out() -> None:
    blocks = re.findall(r"```\n(.*?)```", README, re.DOTALL)
    lines = {line.split("#")[0].strip() for block in blocks for line in block.splitlines()}
    commands = {line for line in lines if line.startswith(("make", "git", "rovitracker"))}
    assert commands == RUN | (NOT_RUN.keys() & commands)
