"""`rovitracker flow`: an application's whole way, walked from the terminal against a running service."""

import asyncio
import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.cli.conftest import Rovitracker
from tests.support.browser import Browser
from tests.support.server import free_port

Local = tuple[str, str, int]  # client_id, client_secret, and the port that its redirect URI names

ANN, PASSWORD = "ann@hillside.example", "long enough password"
STEPS = [
    "Where the endpoints are",
    "The customer decided, and the browser came back",
    "The application exchanges the code",
    "The customer's machines",
]


@dataclass(frozen=True, slots=True)
class Walker:
    """A running service with a customer in it, and the verb that walks through it."""

    rovitracker: Rovitracker
    url: str

    def register(self, *arguments: str) -> tuple[str, str]:
        """client_id and client_secret, which is None of a public application."""
        names = ("--name", "Sitewise", "--company", "Sitewise Ltd")
        registered = self.rovitracker.ask("app", "register", *names, *arguments)
        return registered["client_id"], registered["client_secret"]

    def client(self, client_id: str, secret: str, *arguments: str) -> list[dict[str, Any]]:
        command = ("flow", "client", "--client-id", client_id, "--url", self.url, *arguments)
        steps: list[dict[str, Any]] = self.rovitracker.ask(*command, stdin=f"{secret}\n")
        return steps

    def refuse_client(self, client_id: str, secret: str, *arguments: str) -> str:
        command = ("flow", "client", "--client-id", client_id, "--url", self.url, *arguments)
        return self.rovitracker.refuse(*command, stdin=f"{secret}\n")

    @contextmanager
    def code(self, client_id: str, secret: str | None, port: int) -> Iterator["Begun"]:
        """secret: None of a public application."""
        command = (
            "flow",
            "code",
            "--client-id",
            client_id,
            "--url",
            self.url,
            "--port",
            str(port),
            "--no-open",
            *(() if secret else ("--public",)),
        )
        with self.rovitracker.start(*command) as process:
            try:
                assert process.stdin is not None
                assert process.stderr is not None
                if secret:
                    process.stdin.write(f"{secret}\n")
                    process.stdin.flush()
                told = process.stderr.readline()
                assert f"Open http://127.0.0.1:{port}/ " in told, told
                yield Begun(process, f"http://127.0.0.1:{port}")
            finally:
                process.kill()


@dataclass(frozen=True, slots=True)
class Begun:
    """A flow that waits for its customer."""

    process: subprocess.Popen[str]
    origin: str

    def begin_at(self) -> str:
        """The address to which the local page sends the customer."""
        page = httpx2.get(f"{self.origin}/").text
        [link] = re.findall(r'href="([^"]+)"', page)
        return unescape(link)

    def decide(self, decision: str) -> httpx2.Response:
        """The local page's answer when the customer's browser has come back to it."""
        return asyncio.run(_decide(self.begin_at(), decision))

    def end(self) -> tuple[int, str, str]:
        printed, told = self.process.communicate(timeout=30)
        return self.process.returncode, printed, told


async def _decide(begin_at: str, decision: str) -> httpx2.Response:
    parts = urlsplit(begin_at)
    async with Browser(base_url=f"{parts.scheme}://{parts.netloc}") as browser:
        page = await browser.sign_in(await browser.get(begin_at), ANN, PASSWORD)
        answer = await browser.submit(page, {"decision": decision}, action="/consent")
        return await browser.follow(answer)


@pytest.fixture(scope="module")
def walker(rovitracker: Rovitracker) -> Iterator[Walker]:
    rovitracker.ask("customer", "add", "--email", ANN, "--name", "Hillside", stdin=f"{PASSWORD}\n")
    rovitracker.ask("fleet", "simulate", "--customer", ANN, "--machines", "3", "--days", "1")
    port = free_port()
    url = f"http://localhost:{port}"
    with rovitracker.start("serve", "--port", str(port)) as process:
        try:
            with httpx2.Client(transport=httpx2.HTTPTransport(retries=20), timeout=30) as http:
                assert http.get(f"{url}/health/ready").json()["status"] == "ok"
            yield Walker(rovitracker, url)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def robot(walker: Walker) -> tuple[str, str]:
    """An application that acts for the customer by itself."""
    return walker.register("--grant", "client_credentials", "--customer", ANN)


@pytest.fixture(scope="module")
def local(walker: Walker) -> tuple[str, str, int]:
    """An application whose callback is on this machine; client_id, client_secret and port."""
    port = free_port()
    return (*walker.register("--redirect-uri", f"http://127.0.0.1:{port}/callback"), port)


def test_flow_client_ends_at_the_customers_machines(walker: Walker, robot: tuple[str, str]) -> None:
    discovered, issued, described, fleet = walker.client(*robot)
    assert discovered["answer"]["issuer"] == walker.url
    assert issued["answer"]["token_type"] == "Bearer"
    assert robot[1] not in json.dumps([discovered, issued, described, fleet])
    assert "client_secret=****" in issued["request"]
    assert described["answer"]["active"] is True
    assert fleet["answer"]["machines_on_this_page"] == 3


def test_flow_client_of_nobodys_application_ends_at_its_token(walker: Walker) -> None:
    robot = walker.register("--grant", "client_credentials")
    steps = walker.client(*robot, "--scope", "aemp:read")
    assert [step["status"] for step in steps] == [200, 200, 200]
    assert steps[-1]["answer"]["sub"] == robot[0]


def test_what_the_service_refuses_ends_the_walk_in_its_own_words(
    walker: Walker, robot: tuple[str, str], local: Local
) -> None:
    client_id, secret = robot
    wrong = walker.refuse_client(client_id, secret[:-1])
    assert "401" in wrong
    assert "invalid_client" in wrong
    assert secret[:-1] not in wrong
    assert "unauthorized_client" in walker.refuse_client(*local[:2])
    assert "invalid_scope" in walker.refuse_client(*robot, "--scope", "aemp:write")
    assert "client secret expected on stdin" in walker.rovitracker.refuse(
        "flow", "client", "--client-id", client_id
    )


def test_an_address_where_no_such_service_is_is_named(walker: Walker, robot: tuple[str, str]) -> None:
    nowhere = f"http://localhost:{free_port()}"
    said = walker.refuse_client(*robot, "--url", nowhere)
    assert f"no service answers at {nowhere}" in said
    assert "`rovitracker serve`" in said
    other_name = walker.url.replace("localhost", "127.0.0.1")
    assert f"says that it is {walker.url}" in walker.refuse_client(*robot, "--url", other_name)
    for bad in ("localhost:8000", "http://[::1", "auth.example.com"):
        said = walker.refuse_client(*robot, "--url", bad)
        assert bad in said
        assert len(said.splitlines()) == 1


def test_flow_code_walks_through_sign_in_and_consent(walker: Walker, local: Local) -> None:
    """It walks with PKCE, and prints nothing secret."""
    with walker.code(*local) as begun:
        asked = parse_qs(urlsplit(begun.begin_at()).query)
        assert asked["code_challenge_method"] == ["S256"]
        assert "The answer has come" in begun.decide("approve").text
        code, printed, told = begun.end()
    assert (code, told) == (0, "")
    steps = json.loads(printed)
    assert [step["step"] for step in steps] == STEPS
    assert steps[2]["answer"]["type"] == "Bearer"
    assert steps[3]["answer"]["machines_on_this_page"] == 3
    assert local[1] not in printed
    assert "code_verifier=****" in steps[2]["request"]


@pytest.mark.parametrize("kind", ["--strict", "--public"])
def test_flow_code_of_a_strict_application_refreshes_once(walker: Walker, kind: str) -> None:
    """It ends with a live family, which the command line can look at and end."""
    port = free_port()
    client_id, secret = walker.register(kind, "--redirect-uri", f"http://127.0.0.1:{port}/callback")
    assert (secret is None) == (kind == "--public")
    with walker.code(client_id, secret, port) as begun:
        begun.decide("approve")
        code, printed, told = begun.end()
    assert (code, told) == (0, "")
    steps = json.loads(printed)
    assert [step["step"] for step in steps] == [*STEPS[:3], "The application refreshes the token", STEPS[3]]
    assert steps[4]["answer"]["machines_on_this_page"] == 3
    first, second = (step["answer"] for step in steps[2:4])
    look = ("token", "inspect")
    spent = walker.rovitracker.ask(*look, stdin=f"{first['refresh_token']}\n")
    assert (spent["active"], [reason[:12] for reason in spent["reasons"]]) == (False, ["it was spent"])
    shown = walker.rovitracker.ask(*look, stdin=f"{second['refresh_token']}\n")
    assert (shown["active"], shown["kind"], shown["client_id"]) == (True, "refresh token", client_id)
    assert walker.rovitracker.ask(*look, stdin=f"{second['access_token']}\n")["kind"] == "access token"
    end = ("token", "revoke")
    assert walker.rovitracker.ask(*end, stdin=f"{second['refresh_token']}\n") == {"revoked": True}
    for token in (second["refresh_token"], first["access_token"], second["access_token"]):
        dead = walker.rovitracker.ask(*look, stdin=f"{token}\n")
        assert dead["active"] is False
        assert dead["reasons"][0].startswith("all tokens of its approval were revoked at")


def test_flow_code_says_when_the_customer_refused(walker: Walker, local: Local) -> None:
    with walker.code(*local) as begun:
        begun.decide("deny")
        code, printed, told = begun.end()
    assert (code, printed) == (1, "")
    assert "access_denied" in told


def test_an_answer_with_another_state_is_refused_and_the_flow_goes_on(walker: Walker, local: Local) -> None:
    """Whoever plants a code of their own would have us show them our customer's machines, or theirs to us."""
    with walker.code(*local) as begun:
        state = parse_qs(urlsplit(begun.begin_at()).query)["state"][0]
        for planted in (
            "",
            "?code=x",
            "?code=x&state=",
            f"?code=x&state={state}x",
            f"?code=x&state={state}&state={state}",
        ):
            page = httpx2.get(f"{begun.origin}/callback{planted}")
            assert page.status_code == 400
            assert "not the one this flow began with" in page.text
        assert httpx2.get(f"{begun.origin}/elsewhere").status_code == 404
        assert begun.process.poll() is None
        begun.decide("approve")
        assert begun.end()[0] == 0


def test_an_answer_of_another_issuer_is_not_redeemed(walker: Walker, local: Local) -> None:
    """O-122, O-130: our own command is a client too, and is not misled by the right state."""
    with walker.code(*local) as begun:
        state = parse_qs(urlsplit(begun.begin_at()).query)["state"][0]
        httpx2.get(f"{begun.origin}/callback?code=x&state={state}&iss=https://evil.example")
        code, _, told = begun.end()
    assert code == 1
    assert f"from https://evil.example, not from {walker.url}" in told


def test_a_wrong_secret_is_told_after_the_consent(walker: Walker, local: Local) -> None:
    client_id, secret, port = local
    with walker.code(client_id, secret[:-1], port) as begun:
        begun.decide("approve")
        code, _, told = begun.end()
    assert code == 1
    assert "invalid_client" in told


def test_flow_code_that_is_interrupted_ends_without_a_trace(walker: Walker, local: Local) -> None:
    """It ends with the exit code that shells know for it."""
    with walker.code(*local) as begun:
        begun.process.send_signal(signal.SIGINT)
        assert begun.end() == (128 + signal.SIGINT, "", "")


def test_what_cannot_begin_is_told_before_anybody_is_sent_anywhere(walker: Walker, local: Local) -> None:
    client_id, secret, _ = local

    def refused(client_id: str, port: int, url: str = walker.url) -> str:
        place = ("--url", url, "--port", str(port), "--no-open")
        return walker.rovitracker.refuse(
            "flow", "code", "--client-id", client_id, *place, stdin=f"{secret}\n"
        )

    unregistered = refused(client_id, port := free_port())
    assert (
        f"`rovitracker app update {client_id} --redirect-uri http://127.0.0.1:{port}/callback`"
        in unregistered
    )
    assert "does not know client_id nobody" in refused("nobody", free_port())
    assert "no service answers" in refused(client_id, free_port(), f"http://localhost:{free_port()}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port}" in refused(client_id, port)
