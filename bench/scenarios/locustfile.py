"""The documented flow under load: customers who consent, integrators' servers that exchange, read and introspect.

Every answer is checked, so that a wrong one counts as a failure and not as a fast success. The accounts come from a
file: the `demo.json` of a demo run, or a list of the same objects, as bench/run.py writes it.
"""

import itertools
import secrets
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson
from locust import FastHttpUser, events, task
from locust.argument_parser import LocustArgumentParser
from locust.contrib.fasthttp import FastHttpSession, ResponseContextManager
from locust.env import Environment
from locust.exception import StopUser
from lxml import html

_DEMO_CALLBACK = "/app/demo/callback"
_MOST_SHARING = 10  # live tokens a customer and application; more users would end each other's
_PAGE = 100  # machines

AUTHORIZE = "/app/oauth2/authorize"
SIGN_IN = "/app/login"
CONSENT = "/app/oauth2/consent"
TOKEN = "/app/oauth2/token"
FLEET = "/api/v2/Fleet/{page}"
INTROSPECT = "/app/oauth2/introspect"
EXPECTED = {AUTHORIZE, SIGN_IN, CONSENT, TOKEN, FLEET, INTROSPECT}


@dataclass(slots=True)
class Account:
    """A customer and an application, and the newest token of the two, which their users share."""

    email: str
    password: str
    client_id: str
    client_secret: str
    redirect_uri: str
    machines: int | None = None  # None: whatever there is
    access_token: str = ""

    @property
    def credentials(self) -> dict[str, str]:
        return {"client_id": self.client_id, "client_secret": self.client_secret}

    @property
    def pages(self) -> int:
        return -(-(self.machines or 1) // _PAGE)

    def machines_on(self, page: int) -> int | None:
        return self.machines and min(_PAGE, self.machines - (page - 1) * _PAGE)


@dataclass(slots=True)
class Tally:
    """What was answered since the very start, where --reset-stats forgets the warm-up's failures."""

    answered: set[str]
    failed: int = 0

    def note(self, name: str, exception: object, **_rest: object) -> None:
        self.answered.add(name)
        self.failed += exception is not None


_tally = Tally(set())


@events.init_command_line_parser.add_listener
def _add_options(parser: LocustArgumentParser) -> None:
    parser.add_argument(
        "--accounts",
        env_var="BENCH_ACCOUNTS",
        required=True,
        metavar="FILE",
        help="the demo.json of a demo run, or a list of such objects",
    )


@events.init.add_listener
def _prepare(environment: Environment, **_rest: object) -> None:
    options = environment.parsed_options or Namespace()
    accounts = read_accounts(Path(options.accounts), environment.host or "")
    if options.num_users is not None and options.num_users > _MOST_SHARING * len(accounts):
        raise SystemExit(f"{len(accounts)} account(s) carry at most {_MOST_SHARING * len(accounts)} users")
    Integrator.accounts = itertools.cycle(accounts)
    environment.events.request.add_listener(_tally.note)


@events.quitting.add_listener
def _judge(environment: Environment, **_rest: object) -> None:
    """A run that left out a part of the flow has shown nothing, however fast it was."""
    missing = sorted(EXPECTED - _tally.answered)
    if _tally.failed or missing:
        environment.process_exit_code = 1
        print(f"{_tally.failed} failed request(s); never answered: {', '.join(missing) or 'none'}")


def read_accounts(file: Path, host: str) -> list[Account]:
    document = orjson.loads(file.read_bytes())
    known = {field.name for field in fields(Account)}
    return [
        Account(**{"redirect_uri": host + _DEMO_CALLBACK, **{k: v for k, v in entry.items() if k in known}})
        for entry in (document if isinstance(document, list) else [document])
    ]


class Integrator(FastHttpUser):
    """One customer in a browser and the application's server behind them; waits for each answer before it asks on."""

    accounts: ClassVar[Iterator[Account]]

    def on_start(self) -> None:
        self.account = next(self.accounts)
        self.pages = itertools.cycle(range(1, self.account.pages + 1))
        # A server of its own connection, without the browser's cookies.
        self.server = FastHttpSession(
            base_url=self.host, request_event=self.environment.events.request, user=self
        )
        self.connect()

    @task(1)
    def connect(self) -> None:
        """Really consent: the code comes from the redirect of an approved page."""
        code = self._consent()
        with self.server.post(
            "/app/oauth2/token",
            data={**self.account.credentials, "code": code},
            name=TOKEN,
            catch_response=True,
        ) as answer:
            document = _document(answer)
            _expect(answer, right=document.get("type") == "Bearer" and "access_token" in document)
        self.account.access_token = document["access_token"]

    @task(20)
    def read_fleet(self) -> None:
        page = next(self.pages)
        with self.server.get(
            f"/api/v2/Fleet/{page}",
            headers={
                "Authorization": f"Bearer {self.account.access_token}",
                "Accept": "application/json",
            },
            name=FLEET,
            catch_response=True,
        ) as answer:
            found = len(_document(answer).get("Equipment", ()))
            _expect(answer, right=found > 0 and self.account.machines_on(page) in (None, found))

    @task(10)
    def introspect(self) -> None:
        with self.server.post(
            "/app/oauth2/introspect",
            data={**self.account.credentials, "token": self.account.access_token},
            name=INTROSPECT,
            catch_response=True,
        ) as answer:
            document = _document(answer)
            _expect(
                answer,
                right=document.get("active") is True and document.get("client_id") == self.account.client_id,
            )

    def _consent(self) -> str:
        """The code, read from the redirect without following it."""
        state = secrets.token_urlsafe(16)
        page = self._authorize(state)
        if page.find(".//input[@name='password']") is not None:
            self._sign_in(page)
            page = self._authorize(state)
        with self._submit(page, "/consent", {"decision": "approve"}, CONSENT) as answer:
            target = urlsplit(answer.headers.get("location", "")) if answer.headers else urlsplit("")
            given = parse_qs(target.query)
            back = target._replace(query="").geturl() == self.account.redirect_uri
            _expect(answer, right=back and given.get("state") == [state] and "code" in given, status=303)
        code: str = given["code"][0]
        return code

    def _authorize(self, state: str) -> html.HtmlElement:
        query = {
            "client_id": self.account.client_id,
            "state": state,
            "redirect_uri": self.account.redirect_uri,
        }
        with self.client.get(
            f"/app/oauth2/authorize?{urlencode(query)}",
            name=AUTHORIZE,
            catch_response=True,
            allow_redirects=False,
        ) as answer:
            text = answer.text or ""
            _expect(answer, right='name="decision"' in text or 'name="password"' in text)
        return html.fromstring(text)

    def _sign_in(self, page: html.HtmlElement) -> None:
        typed = {"email": self.account.email, "password": self.account.password}
        with self._submit(page, "/app/login", typed, SIGN_IN) as answer:
            _expect(answer, right=True, status=303)

    def _submit(
        self, page: html.HtmlElement, action: str, typed: dict[str, str], name: str
    ) -> ResponseContextManager:
        """The page's form with all its hidden inputs, and what a person adds."""
        form = next(form for form in page.forms if action in form.get("action", ""))
        hidden = {box.get("name"): box.get("value", "") for box in form.iterfind(".//input[@type='hidden']")}
        return self.client.post(
            form.get("action"),
            data={**hidden, **typed},
            name=name,
            catch_response=True,
            allow_redirects=False,
        )


def _expect(answer: ResponseContextManager, *, right: bool, status: int = 200) -> None:
    """Mark the request; a user whose flow broke is done, and the failure says so."""
    if answer.status_code == status and right:
        answer.success()
        return
    # Never the body: it may hold a token.
    answer.failure(f"status {answer.status_code}, {status} and a whole answer expected")
    raise StopUser


def _document(answer: ResponseContextManager) -> dict[str, Any]:
    try:
        document = orjson.loads(answer.content or b"")
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
