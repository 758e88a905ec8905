"""`make bench-compare`: its interval, the contenders it runs, its refusals, and a smoke run that leaves nothing."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
import uvloop

from app.interpreter import built_with_pgo
from bench.compare.checkout import Checkout, CheckoutError, checked_out, copied, describe_tree, find_revision
from bench.compare.interpreter import choose, inspect
from bench.compare.interval import Interval, critical_rank, interval_of
from bench.compare.measure import Round
from bench.compare.report import Report, Result
from bench.ground.installation import InstallationError
from bench.load.bursts import Asked, Size, alternate, processor_s
from bench.load.records import form_request
from bench.load.rounds import RoundError
from tests.bench.echo import Server, serving
from tests.bench.programs import measure, start
from tests.support.depth import too_long
from tests.support.server import ROOT

pytestmark = pytest.mark.timeout(180)

# Hollander and Wolfe, Nonparametric Statistical Methods, table 3.1: nine patients before and after a treatment.
BEFORE = (1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30)
AFTER = (0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29)


def git(folder: Path, *arguments: str) -> str:
    named = ("-c", "user.name=Ann", "-c", "user.email=ann@hillside.example")
    done = subprocess.run(["git", *named, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of one commit, which holds an `app` that runs nothing."""
    folder = tmp_path / "repository"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "__init__.py").touch()
    git(folder, "init", "--quiet")
    git(folder, "add", "app")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.mark.parametrize(("count", "rank"), [(5, None), (6, 0), (8, 3), (9, 5), (10, 8), (20, 52), (25, 89)])
def test_critical_ranks_are_those_of_the_tables(count: int, rank: int | None) -> None:
    assert critical_rank(count) == rank


def test_estimate_and_interval_are_those_of_the_textbook() -> None:
    found = interval_of([math.exp(after - before) for before, after in zip(BEFORE, AFTER, strict=True)])
    assert math.log(found.ratio) == pytest.approx(-0.46, abs=0.005)
    assert math.log(found.low) == pytest.approx(-0.786, abs=0.0005)
    assert math.log(found.high) == pytest.approx(-0.010, abs=0.0005)


def test_fewer_than_six_rounds_are_certain_of_nothing() -> None:
    assert interval_of([1.0] * 5) == Interval(1.0, 0.0, math.inf)
    assert interval_of([1.0] * 6) == Interval(1.0, 1.0, 1.0)


def test_spoiled_round_hardly_moves_the_ratio_and_is_counted() -> None:
    steady = [0.985, 0.99, 0.995, 1.0, 1.005, 1.01, 1.015] * 3
    spoiled = interval_of([*steady, 3.0])
    assert spoiled.ratio == pytest.approx(1.0, abs=0.001)
    assert interval_of(steady).high < spoiled.high < 1.01


def result(ratio: float, rounds: int = 20) -> Result:
    seen = [Round("introspect", 40 * ratio, 40, 0.1)] * rounds
    return Result("introspect", Size(40, 625, 16), seen, 1.02)


@pytest.mark.parametrize(("ratio", "rounds", "met"), [(1.019, 20, True), (1.021, 20, False), (0.5, 5, False)])
def test_bar_is_met_when_the_whole_interval_is_below_it(ratio: float, rounds: int, met: bool) -> None:  # noqa: FBT001
    report = Report("2 cores", "Python, with PGO", "pinned", "tree", "base", [result(ratio, rounds)])
    assert report.met is report.document()["met"] is met
    assert ("| 1.02 | met |" in report.markdown()) is met


def test_processor_time_is_read_off_the_processes_own_clock() -> None:
    began, own = processor_s([os.getpid()]), time.process_time()
    while time.process_time() < own + 0.05:
        pass
    assert processor_s([os.getpid()]) - began == pytest.approx(time.process_time() - own, abs=0.005)


def asked(server: Server, *, holds: bytes = b"a=") -> Asked:
    requests = [form_request("/x", {"a": str(number)}) for number in range(10)]
    return Asked("base", server.port, [os.getpid()], cycle(requests), holds)


def test_both_are_asked_equally_often_in_bursts(server: Server) -> None:
    with serving() as other:
        costs = uvloop.run(alternate((asked(server), asked(other)), Size(4, 30, 3), 0))
    size = Size(4, 30, 3)
    assert server.seen.total() == other.seen.total() == size.all_requests == 420
    assert server.connections == other.connections == 3
    assert all(cost > 0 for cost in costs)


def test_wrong_answer_ends_the_comparison(server: Server) -> None:
    with pytest.raises(RoundError, match="base: an answer lacks token"):
        uvloop.run(alternate((asked(server, holds=b"token"), asked(server)), Size(1, 10, 2), 0))
    server.refused.add(b"a=7")
    with pytest.raises(RoundError, match="base: status 400: a=7"):
        uvloop.run(alternate((asked(server), asked(server)), Size(1, 10, 2), 0))


def test_service_that_hangs_up_ends_the_comparison(server: Server) -> None:
    server.framing = "drop"
    with pytest.raises(RoundError, match=r"base: .*closed"):
        uvloop.run(alternate((asked(server), asked(server)), Size(1, 10, 2), 0))


@pytest.mark.parametrize(
    ("known", "pgo"),
    [
        ({"CONFIG_ARGS": "'--enable-optimizations' '--prefix=/usr/local'"}, True),
        ({"PY_CORE_CFLAGS": "-O3 -fprofile-use -fprofile-correction"}, True),
        ({"PGO_PROF_GEN_FLAG": "-fprofile-generate", "PGO_PROF_USE_FLAG": ""}, True),  # Debian's
        ({"PGO_PROF_GEN_FLAG": "-fprofile-generate", "PGO_PROF_USE_FLAG": "-fprofile-use"}, False),
        ({"CONFIG_ARGS": "'--prefix=/usr/local'", "PY_CFLAGS": "-O3"}, False),
        ({}, False),
    ],
)
def test_pgo_is_read_off_how_an_interpreter_was_built(known: dict[str, str], pgo: bool) -> None:  # noqa: FBT001
    assert built_with_pgo(known) is pgo


def test_interpreter_without_any_better_on_the_path_is_the_one_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose(None, [b""]) == inspect(Path(sys.executable))


def test_named_interpreter_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstallationError, match=r"no Python 3\.11 or newer"):
        choose(tmp_path / "python3", [b""])


@pytest.mark.parametrize("name", ["nothing", "--all", ""])
def test_unknown_revision_is_refused(name: str, repository: Path) -> None:
    with pytest.raises(CheckoutError, match="is no revision of the repository in"):
        find_revision(repository, name)


def test_change_that_is_not_committed_is_of_the_tree_and_not_of_the_base(
    repository: Path, tmp_path: Path
) -> None:
    assert describe_tree(repository).endswith(", unchanged)")
    (repository / "app" / "new.py").touch()
    assert describe_tree(repository).endswith(", changed since)")
    with checked_out(repository, find_revision(repository, "HEAD"), tmp_path / "base") as folder:
        assert [path.name for path in (folder / "app").iterdir()] == ["__init__.py"]


def test_tree_is_copied_with_its_changes_and_without_what_git_ignores(
    repository: Path, tmp_path: Path
) -> None:
    for name in (".gitignore", "gone", "app/changed"):
        (repository / name).write_text(".env\n")
    git(repository, "add", ".")
    (repository / "gone").unlink()
    (repository / "app" / "changed").write_text("changed")
    (repository / "app" / "new").touch()
    (repository / ".env").touch()
    folder = copied(repository, tmp_path / "tree")
    names = {f"{path.relative_to(folder)}" for path in folder.rglob("*") if path.is_file()}
    assert names == {".gitignore", "app/__init__.py", "app/changed", "app/new"}
    assert (folder / "app" / "changed").read_text() == "changed"


def test_base_is_removed_whatever_happened(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "base"

    def fail() -> None:
        with checked_out(repository, find_revision(repository, "HEAD"), folder):
            (folder / "left").touch()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not folder.exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_program_of_another_checkout_is_not_run(tmp_path: Path) -> None:
    """Ours is installed in this environment, and a revision without a package of that name must not get it."""
    empty = Checkout("empty", tmp_path, Path(sys.executable))
    with pytest.raises(CheckoutError, match=f"empty: {ROOT}/app/__init__.py is not of {tmp_path}"):
        empty.run("config", environment=os.environ)
    with pytest.raises(CheckoutError, match=f"empty: {ROOT}/bench/ground/codes.py is not of {tmp_path}"):
        empty.feed(b"{}", environment=os.environ)


def test_program_of_a_checkout_is_run_from_its_files(repository: Path) -> None:
    cli = repository / "app" / "cli"
    cli.mkdir()
    (cli / "main.py").write_text("import sys\ndef run(): print(__file__, *sys.argv[1:])\n")
    printed = Checkout("own", repository, Path(sys.executable)).run("config", environment=os.environ)
    assert printed.split() == [str(cli / "main.py"), "config"]


def test_env_file_of_the_working_tree_is_of_no_account(repository: Path) -> None:
    """The base has none."""
    (repository / ".env").write_text("ROVITRACKER_TOKEN_CACHE=false\n")
    (repository / "app" / "cli").mkdir()
    (repository / "app" / "cli" / "main.py").write_text(
        "import os\ndef run(): print(os.path.exists('.env'))\n"
    )
    printed = Checkout("own", repository, Path(sys.executable)).run("config", environment=os.environ)
    assert printed.strip() == "False"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "--base"),
        (("--base", "nothing"), "bench-compare: 'nothing' is no revision of the repository"),
        (("--base", "HEAD", "--scenario", "coffee"), "invalid choice: 'coffee'"),
        (("--base", "HEAD", "--rounds", "0"), "--rounds: 1 or more"),
        (("--base", "HEAD", "--seconds", "nan"), "--seconds: more than 0"),
        (("--base", "HEAD", "--bar", "0"), "--bar: more than 0"),
    ],
)
def test_what_could_not_be_compared_is_refused(options: tuple[str, ...], told: str) -> None:
    done = start("compare", *options)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_make_says_that_a_revision_is_needed() -> None:
    done = subprocess.run(["make", "bench-compare"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "make bench-compare BASE=main" in done.stderr


@too_long("every request of the token path is compared")
def test_smoke_run_compares_a_revision_with_itself_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """On this environment: whether PATH has a better interpreter is the machine's affair."""
    smoke = ("--rounds", "1", "--seconds", "0.1", "--connections", "4", "--python", sys.executable)
    done = measure("compare", tmp_path, "--base", "HEAD", *smoke)
    assert done.status == 1  # one round is certain of nothing
    assert "round 1 of 1: code_exchange " in done.said
    assert "PGO" in done.report
    scenarios = [each["scenario"] for each in done.document["results"]]
    assert scenarios == ["code_exchange", "introspect", "aemp_guard"]
    for each in done.document["results"]:
        assert each["size"]["bursts"] == 4
        assert 0.5 < each["ratio"] < 2
        assert 10 < each["tree_us"] < 20_000
    assert {name: len(seen) for name, seen in done.rounds.items()} == dict.fromkeys(scenarios, 1)
    assert str(tmp_path) not in git(ROOT, "worktree", "list")


def test_interrupted_run_stops_and_removes_what_it_began(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.compare", "--base", "HEAD", "--python", sys.executable]
    own = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=own, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert "preparing" in running.stderr.readline()
        assert str(tmp_path) in git(ROOT, "worktree", "list")
        running.send_signal(signal.SIGINT)
        assert "bench-compare: interrupted, everything is stopped" in running.stderr.read()
    assert running.returncode == 130
    assert str(tmp_path) not in git(ROOT, "worktree", "list")
    assert not list(tmp_path.iterdir())
