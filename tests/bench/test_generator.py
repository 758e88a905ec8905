"""The load generator against a small real server: what it counts, and that it tells the truth of a slow one."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.load.generator import GeneratorError, generate
from bench.load.models import Load, Open, Tally
from bench.load.records import form_request, get_request, read_answers, read_requests, write_requests
from tests.bench.echo import Server, serving
from tests.support.server import ROOT, free_port


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def numbered(count: int) -> list[bytes]:
    return [form_request("/x", {"a": str(number)}) for number in range(count)]


def test_once_sends_each_request_exactly_once_and_says_that_they_were_used_up(server: Server) -> None:
    answers: list[tuple[int, int, bytes]] = []
    load = Load("127.0.0.1", server.port, numbered(500), seconds=20, connections=8, once=True)
    outcome = generate(load, lambda *answer: answers.append(answer))
    assert outcome.ended == "used up"
    assert outcome.requests == 500
    assert outcome.statuses == {"200": 500}
    assert outcome.errors == {}
    assert server.seen == Counter(b"a=%d" % number for number in range(500))
    assert sorted(answers) == [(number, 200, b"a=%d" % number) for number in range(500)]
    assert server.connections == 8


def test_requests_are_cycled_until_time_is_up(server: Server) -> None:
    outcome = generate(Load("127.0.0.1", server.port, numbered(3), seconds=0.5, connections=2))
    assert outcome.ended == "time"
    assert outcome.requests == server.seen.total() > 3
    assert outcome.seconds == pytest.approx(0.5, abs=0.2)
    assert outcome.rate == pytest.approx(outcome.requests / outcome.seconds, rel=0.1)
    assert max(server.seen.values()) - min(server.seen.values()) <= 1


def test_statuses_are_told_apart(server: Server) -> None:
    server.refused.add(b"a=wrong")
    requests = [form_request("/x", {"a": "right"}), form_request("/x", {"a": "wrong"})]
    outcome = generate(Load("127.0.0.1", server.port, requests, seconds=9, connections=1, once=True))
    assert outcome.statuses == {"200": 1, "400": 1}
    assert outcome.later == {}


def test_answers_that_say_when_to_come_again_are_counted(server: Server) -> None:
    server.refused.add(b"a=1")
    server.deferred |= {b"a=2", b"a=3"}
    outcome = generate(Load("127.0.0.1", server.port, numbered(4), seconds=9, connections=1, once=True))
    assert outcome.statuses == {"200": 1, "400": 1, "503": 2}
    assert outcome.later == {"503": 2}


def test_loads_beside_each_other_arrive_at_times_of_their_own() -> None:
    """If both had one seed, they would come in pairs."""

    def arrivals(seed: int) -> list[float]:
        load = Load("127.0.0.1", 1, numbered(1), 1, rate=100, arrivals="poisson", seed=seed)
        model = Open(load, Tally(), None)
        return [model._gap() for _ in range(20)]

    assert arrivals(0) == arrivals(0)
    assert not set(arrivals(0)) & set(arrivals(1))


def test_latency_is_the_servers(server: Server) -> None:
    server.delay_s = 0.05
    load = Load("127.0.0.1", server.port, numbered(80), seconds=20, connections=4, once=True)
    latency = generate(load).latency_ms
    assert (
        50 <= latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p999"] <= latency["max"] < 1000
    )
    assert latency["p50"] < 100


def test_one_stall_shows_in_the_closed_models_tail_only(server: Server) -> None:
    server.stalls[b"a=50"] = 0.4
    load = Load("127.0.0.1", server.port, numbered(100), seconds=20, connections=1, once=True)
    latency = generate(load).latency_ms
    assert latency["p50"] < 100
    assert latency["p99"] >= 400


def test_open_model_counts_latency_from_the_schedule(server: Server) -> None:
    """A server that stands still for 0.5 s at 200/s keeps 100 requests waiting, 0.25 s on average."""
    server.stalls[b"a=20"] = 0.5
    load = Load("127.0.0.1", server.port, numbered(300), seconds=20, connections=4, once=True, rate=200)
    outcome = generate(load)
    assert outcome.model == "open, constant"
    assert outcome.requests == 300
    assert outcome.unsent == 0
    assert outcome.offered_rate == 200
    assert outcome.rate == pytest.approx(200, rel=0.1)
    assert outcome.latency_ms["p50"] < 100
    assert outcome.latency_ms["p90"] >= 300  # in the closed model a single request would show it
    assert server.connections <= 4


def test_open_model_counts_what_could_not_be_sent(server: Server) -> None:
    server.delay_s = 0.1
    load = Load("127.0.0.1", server.port, numbered(9), seconds=1, connections=2, rate=200, arrivals="poisson")
    outcome = generate(load)
    assert outcome.model == "open, poisson"
    assert outcome.requests < 40
    assert 120 < outcome.requests + outcome.unsent < 280
    assert server.connections == 2


def test_warm_up_is_left_out(server: Server) -> None:
    server.stalls[b"a=5"] = 0.3
    load = Load("127.0.0.1", server.port, numbered(9), seconds=0.3, connections=1, warm_up_s=0.5)
    outcome = generate(load)
    assert outcome.latency_ms["max"] < 250
    assert outcome.warm_up_requests > 5
    assert outcome.requests + outcome.warm_up_requests == server.seen.total()


@pytest.mark.parametrize("framing", ["chunked", "until_close", "close"])
def test_every_way_to_end_an_answer_is_understood(server: Server, framing: str) -> None:
    server.framing = framing
    answers: set[bytes] = set()
    load = Load("127.0.0.1", server.port, numbered(20), seconds=20, connections=2, once=True)
    outcome = generate(load, lambda _position, _status, body: answers.add(body))
    assert outcome.statuses == {"200": 20}
    assert outcome.errors == {}
    assert answers == set(server.seen)


@pytest.mark.parametrize(("framing", "reason"), [("drop", "closed"), ("garbage", "not an HTTP/1 answer")])
def test_requests_without_an_answer_are_errors_and_are_not_sent_again(
    server: Server, framing: str, reason: str
) -> None:
    server.framing = framing
    outcome = generate(Load("127.0.0.1", server.port, numbered(6), seconds=20, connections=2, once=True))
    assert outcome.requests == 0
    assert outcome.latency_ms == {}
    assert outcome.errors == {reason: 6}
    assert max(server.seen.values()) == 1


def test_request_that_takes_too_long_is_given_up(server: Server) -> None:
    server.delay_s = 1.5
    load = Load("127.0.0.1", server.port, numbered(2), seconds=3, connections=1, once=True, timeout_s=0.3)
    assert generate(load).errors == {"timeout": 2}


def test_source_is_where_connections_come_from(server: Server) -> None:
    load = Load("127.0.0.1", server.port, numbered(4), 9, connections=2, once=True, source="127.0.0.2")
    assert generate(load).requests == 4
    assert set(server.peers) == {"127.0.0.2"}


def test_no_server_and_no_request_are_refused(server: Server) -> None:
    with pytest.raises(GeneratorError, match="no requests"):
        generate(Load("127.0.0.1", server.port, [], 1))
    with pytest.raises(GeneratorError, match="refused"):
        generate(Load("127.0.0.1", free_port(), numbered(1), 1))


def test_command_prints_one_document_and_keeps_the_answers(server: Server, tmp_path: Path) -> None:
    requests, answers = tmp_path / "requests", tmp_path / "answers"
    assert write_requests(requests, numbered(50)) == 50
    assert read_requests(requests) == numbered(50)
    command = [sys.executable, "-m", "bench.load.generator", "--url", f"http://127.0.0.1:{server.port}"]
    options = ["--requests", str(requests), "--once", "--seconds", "9", "--answers", str(answers)]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, check=True)
    document = json.loads(done.stdout)
    assert document["requests"] == 50
    assert document["ended"] == "used up"
    assert document["cpu_s"] > 0
    assert {answer.position: answer.body for answer in read_answers(answers)} == {
        number: b"a=%d" % number for number in range(50)
    }


def test_requests_are_what_a_server_expects() -> None:
    assert form_request("/token", {"a": "b c", "d": "&"}, basic=("me", "secret")) == (
        b"POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 11\r\nAuthorization: Basic bWU6c2VjcmV0\r\n\r\na=b+c&d=%26"
    )
    assert get_request("/fleet", bearer="t", accept="application/json") == (
        b"GET /fleet HTTP/1.1\r\nHost: 127.0.0.1\r\naccept: application/json\r\nAuthorization: Bearer t\r\n\r\n"
    )


def test_file_that_ends_within_a_record_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "requests"
    write_requests(file, numbered(2))
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match="within a record"):
        read_requests(file)
