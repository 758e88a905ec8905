"""Load as integrators and their customers make it: consent over HTTP, exchange, introspection, fleet pages.

Every code comes from really consenting: sign in, read the consent page, press Allow. Every answer is checked; one that
is not what the documentation says counts as a failure, and failures end the run with a bad exit code.

Needs a running service and the people of `bench/run.py` (a JSON file named by BENCH_PEOPLE).
"""

import itertools
import json
import os
from html.parser import HTMLParser
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from locust import FastHttpUser, constant_pacing, events, task
from locust.contrib.fasthttp import ResponseContextManager
from locust.env import Environment

PEOPLE = json.loads(Path(os.environ["BENCH_PEOPLE"]).read_text())
CUSTOMERS = itertools.cycle(PEOPLE["customers"])
APPLICATION = PEOPLE["application"]
PACE_S = float(os.environ.get("BENCH_PACE_S", "0"))


class HiddenInputs(HTMLParser):
    """Hidden inputs of the form that posts to one address."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._action = action
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = given.get("action") == self._action
        elif tag == "input" and self._inside and given.get("type") == "hidden":
            self.values[given.get("name") or ""] = given.get("value") or ""


def hidden_inputs(page: str, action: str) -> dict[str, str]:
    parser = HiddenInputs(action)
    parser.feed(page)
    return parser.values


class Integrator(FastHttpUser):
    """One customer's browser and the application's server behind it. Closed model: the next request follows an answer."""

    wait_time = constant_pacing(PACE_S)
    token = ""

    def on_start(self) -> None:
        """Sign in and connect once, so that every other task has a token."""
        self.customer = next(CUSTOMERS)
        query = {
            "client_id": APPLICATION["client_id"],
            "state": "bench",
            "redirect_uri": APPLICATION["redirect_uri"],
        }
        self.authorize = "/app/oauth2/authorize?" + urlencode(query)
        page = self.client.get(self.authorize, name="sign-in page").text or ""
        fields = {
            **hidden_inputs(page, "/app/login"),
            "email": self.customer["email"],
            "password": self.customer["password"],
        }
        with self.client.post(
            "/app/login", data=fields, name="sign in", allow_redirects=False, catch_response=True
        ) as answer:
            expect(answer, answer.status_code == HTTPStatus.SEE_OTHER, "no redirect")
        self.connect()

    @task(2)
    def connect(self) -> None:
        """The documented flow: consent page, Allow, exchange."""
        page = self.client.get(self.authorize, name="consent page").text or ""
        fields = {**hidden_inputs(page, "/app/oauth2/consent"), "decision": "approve"}
        with self.client.post(
            "/app/oauth2/consent", data=fields, name="approve", allow_redirects=False, catch_response=True
        ) as answer:
            back = parse_qs(urlsplit((answer.headers or {}).get("location", "")).query)
            expect(answer, back.get("state") == ["bench"] and "code" in back, "no code came back")
        if "code" in back:
            self.exchange(back["code"][0])

    def exchange(self, code: str) -> None:
        fields = {**self.credentials(), "code": code}
        with self.client.post("/app/oauth2/token", data=fields, name="token", catch_response=True) as answer:
            document = document_of(answer)
            good = document.get("type") == document.get("token_type") == "Bearer"
            expect(answer, answer.status_code == HTTPStatus.OK and good, "no bearer token")
        self.token = document.get("access_token", "")

    @task(10)
    def read_fleet(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        with self.client.get(
            "/api/v2/Fleet/1", headers=headers, name="fleet page", catch_response=True
        ) as answer:
            machines = len(document_of(answer).get("Equipment", []))
            expect(answer, machines == self.customer["machines"], f"{machines} machines")

    @task(10)
    def introspect(self) -> None:
        fields = {**self.credentials(), "token": self.token}
        with self.client.post(
            "/app/oauth2/introspect", data=fields, name="introspect", catch_response=True
        ) as answer:
            expect(answer, document_of(answer).get("active") is True, "inactive")

    @staticmethod
    def credentials() -> dict[str, str]:
        return {name: APPLICATION[name] for name in ("client_id", "client_secret")}


def document_of(answer: ResponseContextManager) -> dict[str, Any]:
    """The JSON object of an answer, empty where there is none: the check that follows then fails."""
    try:
        document = json.loads(answer.text or "")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def expect(answer: ResponseContextManager, good: bool, fault: str) -> None:  # noqa: FBT001  # a verdict, read at the call
    if good:
        answer.success()
    else:
        answer.failure(f"{fault} (status {answer.status_code})")


@events.quitting.add_listener
def fail_on_any_failure(environment: Environment, **_: object) -> None:
    if environment.stats.total.num_failures or not environment.stats.total.num_requests:
        environment.process_exit_code = 1
