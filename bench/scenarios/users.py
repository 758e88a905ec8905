"""The users that load the service, one class for each scenario. Each waits for its answer before it sends the next request."""

import itertools
import random
from typing import ClassVar

import gevent
import orjson
from locust import FastHttpUser, task
from locust.contrib.fasthttp import FastHttpSession
from locust.exception import StopUser

from bench.scenarios.catalogue import AUTHORIZE, CONSENT, FLEET, INTROSPECT, SIGN_IN, TOKEN
from bench.scenarios.consent import Browser
from bench.scenarios.integration import (
    exchange_consented,
    exchange_prepared,
    introspect,
    issue_client_token,
    read_fleet,
    refresh,
)
from bench.scenarios.supplies import NothingPreparedError, Supplies


class Integrator(FastHttpUser):
    """The server of an application: one connection, no cookies.

    parts: what must have been answered in a run. apart_s: within which the users begin, not all at once.
    """

    abstract = True
    parts: ClassVar[frozenset[str]]
    supplies: ClassVar[Supplies]
    apart_s: ClassVar[float] = 0.0

    network_timeout = 30.0
    connection_timeout = 30.0

    def on_start(self) -> None:
        gevent.sleep(random.uniform(0, self.apart_s))  # noqa: S311  # no secret

    def exchange_prepared(self) -> None:
        codes = self.supplies.codes
        if codes is None:
            raise NothingPreparedError("codes")
        if exchange_prepared(self.client, codes):
            return
        if not codes.used_up:
            codes.used_up = True
            gevent.spawn(self.environment.runner.quit)
        raise StopUser

    def issue_client_token(self) -> None:
        answers = self.supplies.client_tokens
        if answers is None:
            raise NothingPreparedError("applications")
        issue_client_token(self.client, self.supplies.next_caller().caller.credentials, answers)

    def introspect_prepared(self) -> None:
        turn = self.supplies.next_caller()
        introspect(self.client, turn.caller.credentials, turn.token)

    def read_prepared(self) -> None:
        read_fleet(self.client, self.supplies.next_caller().fleet_token)


class CodeExchange(Integrator):
    parts = frozenset({TOKEN})

    @task
    def ask(self) -> None:
        self.exchange_prepared()


class ClientCredentials(Integrator):
    parts = frozenset({TOKEN})

    @task
    def ask(self) -> None:
        self.issue_client_token()


class Refresh(Integrator):
    """Each keeps a family of its own: what one answer gave is what the next request presents."""

    parts = frozenset({TOKEN})

    def on_start(self) -> None:
        self.position, self.family = self.supplies.next_family()
        self.refresh_token = self.family.refresh_token
        super().on_start()

    @task
    def ask(self) -> None:
        if self.supplies.refreshed is None:
            raise NothingPreparedError("refresh tokens")
        body = refresh(self.client, self.family.credentials, self.refresh_token)
        self.supplies.refreshed.keep(body, self.position)
        self.refresh_token = orjson.loads(body)["refresh_token"]


class Introspect(Integrator):
    parts = frozenset({INTROSPECT})

    @task
    def ask(self) -> None:
        self.introspect_prepared()


class AempGuard(Integrator):
    parts = frozenset({FLEET})

    @task
    def ask(self) -> None:
        self.read_prepared()


class Connecting(Integrator):
    """An application's server and a customer in a browser."""

    abstract = True

    def on_start(self) -> None:
        super().on_start()
        self.account = next(self.supplies.accounts)
        requests = self.environment.events.request
        session = FastHttpSession(base_url=self.host, request_event=requests, user=self)
        self.browser = Browser(session, self.account)
        self.connect()

    def connect(self) -> None:
        """Really consent: the code comes from the redirect of an approved page."""
        code = self.browser.consent()
        self.account.access_token = exchange_consented(
            self.client, self.account, code, self.supplies.consented
        )


class FullFlow(Connecting):
    """The documented flow: connect, and then use the token regularly, for a long time."""

    parts = frozenset({AUTHORIZE, SIGN_IN, CONSENT, TOKEN, FLEET, INTROSPECT})

    def on_start(self) -> None:
        super().on_start()
        self.pages = itertools.cycle(range(1, self.account.pages + 1))

    @task(1)
    def connect_again(self) -> None:
        self.connect()

    @task(20)
    def read_fleet(self) -> None:
        page = next(self.pages)
        machines = self.account.machines_on(page)
        read_fleet(self.client, self.account.access_token, page=page, machines=machines)

    @task(10)
    def introspect(self) -> None:
        introspect(self.client, self.account.credentials, self.account.access_token)


class Mix(Connecting):
    """Mostly reading, as the integrations of a working day do."""

    parts = FullFlow.parts

    @task(60)
    def read(self) -> None:
        self.read_prepared()

    @task(25)
    def introspect(self) -> None:
        self.introspect_prepared()

    @task(9)
    def issue(self) -> None:
        self.issue_client_token()

    @task(5)
    def exchange(self) -> None:
        self.exchange_prepared()

    @task(1)
    def connect_again(self) -> None:
        self.connect()
