"""The other authorization servers at the smallest size: seeded, served and asked, and found out when they answer wrongly."""

import json
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from bench.ground.codes import Stores, pack_for_service
from bench.ground.installation import UnavailableError
from bench.load.generator import generate, load_of
from bench.load.records import Answer, get_request, pack_answer, read_requests, write_requests
from bench.load.rounds import Contender, Round
from bench.peers.__main__ import render
from bench.peers.catalogue import OIDC_POSTGRES, OIDC_REDIS, PEERS
from bench.peers.comparison import Comparison
from bench.peers.ours import OURS
from bench.peers.peer import Peer, PeerError, ServingPeer, Task
from bench.peers.stores import set_fsync
from tests.bench.programs import measure

SMOKE = ("--smoke", "--rounds", "1", "--seconds", "0.5", "--warm-up", "0.2", "--workers", "1")
FOLDERS = sorted({peer.folder for peer in PEERS})

pytestmark = pytest.mark.timeout(300)  # the first time, what oidc-provider needs is installed


def installed(name: str) -> Peer:
    peer = next(peer for peer in PEERS if peer.name == name)
    try:
        peer.install(peer.folder)
    except UnavailableError as error:
        pytest.skip(f"not shown: the service beside oidc-provider, which cannot be had here: {error}")
    return peer


@pytest.fixture(scope="module", params=[OIDC_POSTGRES, OIDC_REDIS])
def oidc_provider(
    request: pytest.FixtureRequest, servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServingPeer]:
    database_url, redis_url = servers
    stores = Stores(database_url, redis_url, pack_for_service, has_customers=False)
    log = tmp_path_factory.mktemp("oidc-provider") / "log"
    with installed(request.param).serving(stores, 1, log) as serving:
        yield serving
    set_fsync(redis_url, "always")


def ask(contender: Contender, folder: Path, count: int) -> tuple[Path, list[Answer]]:
    """The file of so many requests, and the answers."""
    path = folder / "requests"
    contender.write_requests(path, count)
    return path, answers_to(contender, path)


def answers_to(contender: Contender, path: Path) -> list[Answer]:
    answers: list[Answer] = []
    load = load_of(contender.url, read_requests(path), once=True)
    generate(load, lambda *answer: answers.append(Answer(*answer)))
    return answers


def saved(answers: list[Answer], folder: Path) -> Path:
    path = folder / "answers"
    path.write_bytes(b"".join(pack_answer(*answer) for answer in answers))
    return path


def assert_noticed(fault: str, contender: Contender, requests: Path, answers: Path) -> None:
    """The peer's own check finds the fault in what was answered, and names it."""
    assert contender.check is not None
    with pytest.raises(PeerError, match=fault):
        contender.check(requests, answers)


@pytest.mark.parametrize("task", Task)
def test_oidc_provider_answers_what_it_is_asked(
    oidc_provider: ServingPeer, task: Task, tmp_path: Path
) -> None:
    contender = oidc_provider.contender(task, tokens=20)
    requests, answers = ask(contender, tmp_path, 20)
    assert [answer.status for answer in answers] == [200] * 20
    if contender.check is not None:
        contender.check(requests, saved(answers, tmp_path))


def test_used_codes_are_refused(oidc_provider: ServingPeer, tmp_path: Path) -> None:
    contender = oidc_provider.contender(Task.EXCHANGE, tokens=0)
    requests, _ = ask(contender, tmp_path, 5)
    assert [answer.status for answer in answers_to(contender, requests)] == [400] * 5


def test_forged_token_does_not_pass_its_guard(oidc_provider: ServingPeer, tmp_path: Path) -> None:
    path = tmp_path / "requests"
    write_requests(path, [get_request(oidc_provider.peer.paths.page, bearer="forged")])
    [answer] = answers_to(oidc_provider.contender(Task.GUARD, tokens=0), path)
    assert answer.status == 401


def test_answered_token_that_is_not_stored_is_noticed(oidc_provider: ServingPeer, tmp_path: Path) -> None:
    contender = oidc_provider.contender(Task.EXCHANGE, tokens=0)
    requests, answers = ask(contender, tmp_path, 3)
    answers[1] = answers[1]._replace(body=orjson.dumps({"access_token": "made-up"}))
    assert_noticed("stored 2 of 3", contender, requests, saved(answers, tmp_path))


def test_token_answered_twice_is_noticed(oidc_provider: ServingPeer, tmp_path: Path) -> None:
    contender = oidc_provider.contender(Task.EXCHANGE, tokens=0)
    requests, answers = ask(contender, tmp_path, 3)
    answers[1] = answers[1]._replace(body=answers[0].body)
    assert_noticed("3 codes with 2 tokens", contender, requests, saved(answers, tmp_path))


def test_live_token_called_inactive_is_noticed(oidc_provider: ServingPeer, tmp_path: Path) -> None:
    contender = oidc_provider.contender(Task.INTROSPECT, tokens=2)
    requests, answers = ask(contender, tmp_path, 2)
    answers[1] = answers[1]._replace(body=orjson.dumps({"active": False}))
    assert_noticed("inactive", contender, requests, saved(answers, tmp_path))


def test_smoke_run_compares_ours_with_oidc_provider(tmp_path: Path) -> None:
    installed(OIDC_POSTGRES)
    one = ("--tasks", "code exchange", "--only", OIDC_POSTGRES)
    done = measure("peers", tmp_path, *SMOKE, *one)
    assert done.status == 0
    [comparison] = done.document["comparisons"]
    assert set(comparison["medians"]) == {OURS, OIDC_POSTGRES}
    assert all(rounds[0]["requests"] > 0 for rounds in done.rounds[Task.EXCHANGE].values())
    assert comparison["doubled"][OURS] == 0
    assert [(ratio["peer"], ratio["bar"]) for ratio in comparison["ratios"]] == [(OIDC_POSTGRES, 6)]
    assert OIDC_POSTGRES in done.report


def measured(rate: float) -> Round:
    return Round(rate, 1.0, 2.0, 100, 0, 10.0, 20.0, 30.0, 5.0, 0.0, "time")


@pytest.mark.parametrize(("rate", "verdict"), [(599.0, "6: NOT MET"), (600.0, "6: met")])
def test_bar_is_judged_by_the_median_of_neighbours(rate: float, verdict: str) -> None:
    rounds = {OURS: [measured(rate)] * 3, OIDC_POSTGRES: [measured(100.0)] * 3}
    assert f"| {verdict} |" in render([Comparison(Task.EXCHANGE, rounds, {}, {})])


def test_what_was_not_measured_is_named() -> None:
    missing = {OIDC_REDIS: "node: its wheel holds no program for this platform"}
    report = render([Comparison(Task.EXCHANGE, {OURS: [measured(1.0)]}, {}, missing)])
    assert f"Not measured: {OIDC_REDIS}: node: its wheel holds no program for this platform" in report


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_peers_are_locked_with_hashes_and_name_no_registry(folder: Path) -> None:
    requirements, packages = folder / "requirements.txt", folder / "package-lock.json"
    if packages.exists():
        entries = [entry for name, entry in json.loads(packages.read_text())["packages"].items() if name]
        assert entries
        assert all("integrity" in entry and "resolved" not in entry for entry in entries)
    else:
        text = requirements.read_text()
        assert "://" not in text
        assert "--hash=sha256:" in text
