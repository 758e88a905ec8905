"""Applications ask, and the journal notes each request with what its answer proves."""

import asyncio
from collections.abc import Sequence
from random import Random
from time import monotonic_ns

from app.oauth.token_string import TokenString
from bench.ground.codes import Application
from bench.load.records import form_request, get_request
from tests.faults.door import Connection, Door, LostError, NotAskedError
from tests.faults.journal import Journal, Operation, Outcome, Verb, name_of
from tests.faults.secrets_in_use import SecretsInUse
from tests.support.raw import RawAnswer

_PAUSE_S = 0.02
_UNAVAILABLE = (429, 503)
_TOKEN = "/app/oauth2/token"
_FLEET = ("/api/v2/Fleet/1", "/api/v1/Fleet/1")
# Beside 429 and 503. A customer without machines has no page 1 to show, and the token was good all the same.
_EXPECTED: dict[Verb, dict[int, Outcome]] = {
    "redeem": {200: "ok", 400: "refused"},
    "burn": {400: "refused"},
    "issue": {200: "ok"},
    "refresh": {200: "ok", 400: "refused"},
    "revoke": {200: "ok"},
    "introspect": {200: "active"},
    "read": {200: "active", 404: "active", 401: "inactive"},
}
_READS = ("introspect", "read")


class Answered:
    """An operation, and what its answer said; nothing where none came."""

    def __init__(self, operation: Operation, document: dict[str, object]) -> None:
        self.operation = operation
        self.document = document

    @property
    def outcome(self) -> Outcome:
        return self.operation.outcome

    def token(self, kind: str) -> str:
        return str(self.document[kind])


class Callers:
    """All applications of a run. stop: they begin nothing new once it is set."""

    def __init__(
        self, doors: Sequence[Door], journal: Journal, chance: Random, secrets: SecretsInUse
    ) -> None:
        self.journal = journal
        self._secrets = secrets
        self._doors = doors
        self._chance = chance
        self._approvers: dict[str, str] = {}
        self.stop = asyncio.Event()

    async def redeem(self, application: Application, code: TokenString, *, wrong: bool = False) -> Answered:
        """wrong: the application is not the one that the code was made for, and burns it."""
        asked = _operation("burn" if wrong else "redeem", str(code.id), code.text)
        fields = {**application.exchange(code), **self._credentials(application)}
        return await self._ask(asked, form_request(_TOKEN, fields))

    async def issue(self, application: Application) -> Answered:
        fields = {"grant_type": "client_credentials", **self._credentials(application)}
        return await self._ask(_operation("issue", "", ""), form_request(_TOKEN, fields))

    async def refresh(self, application: Application, life: str, token: str) -> Answered:
        fields = {
            "grant_type": "refresh_token",
            **self._credentials(application),
            "refresh_token": token,
        }
        return await self._ask(_operation("refresh", life, token), form_request(_TOKEN, fields))

    async def revoke(self, application: Application, life: str, token: str) -> Answered:
        request = form_request("/app/oauth2/revoke", {**self._credentials(application), "token": token})
        return await self._ask(_operation("revoke", life, token), request)

    async def introspect(
        self, application: Application, life: str, token: str, door: int | None = None
    ) -> Answered:
        request = form_request("/app/oauth2/introspect", {**self._credentials(application), "token": token})
        return await self._ask(_operation("introspect", life, token), request, door)

    async def read(self, life: str, token: str, door: int | None = None) -> Answered:
        request = get_request(self._chance.choice(_FLEET), bearer=token)
        return await self._ask(_operation("read", life, token), request, door)

    async def _ask(self, asked: Operation, request: bytes, door: int | None = None) -> Answered:
        """Let it leave once. It has then happened, or not, or nobody knows."""
        instance, connection = await self._connected(asked, door)
        asked.called = monotonic_ns()
        try:
            answer = await instance.ask(connection, request)
        except LostError:
            return Answered(self.journal.note(asked), {})
        return self._judge(asked, answer)

    def _credentials(self, application: Application) -> dict[str, str]:
        return self._secrets.credentials(application, self._chance)

    def _check_owner(self, life: str, approver: str) -> None:
        """R-86: each code was approved by somebody else, so an answer to another caller names the wrong person."""
        if not life.startswith("rovi_") and self._approvers.setdefault(approver, life) != life:
            self.journal.faults.append(f"{life} was answered as {self._approvers[approver]}")

    async def _connected(self, asked: Operation, door: int | None) -> tuple[Door, Connection]:
        while True:
            asked.instance = self._chance.randrange(len(self._doors)) if door is None else door
            instance = self._doors[asked.instance]
            try:
                return instance, await instance.connect()
            except NotAskedError:
                await asyncio.sleep(_PAUSE_S)

    def _judge(self, asked: Operation, answer: RawAnswer) -> Answered:
        returned = monotonic_ns()
        asked.status = answer.status
        document = {}
        if answer.headers.get("content-type", "").startswith("application/json") and answer.body:
            document = answer.document
        outcome = _EXPECTED[asked.verb].get(answer.status)
        if outcome is None and answer.status not in _UNAVAILABLE:
            self.journal.faults.append(f"{asked.verb} was answered {answer.status}: {answer.body[:200]!r}")
        if outcome == "refused" and document.get("error") != "invalid_grant":
            self.journal.faults.append(f"{asked.verb} was answered {answer.body[:200]!r}")
        if asked.verb == "introspect" and outcome == "active":
            if document["active"]:
                self._check_owner(asked.life, document["sub"])
            else:
                outcome = "inactive"
        if outcome is not None:
            asked.outcome, asked.returned = outcome, returned
        elif asked.verb in _READS:
            asked.returned = returned
        given = [document[kind] for kind in ("access_token", "refresh_token") if kind in document]
        asked.gave = tuple(name_of(each) for each in given)
        if asked.verb == "issue" and given:
            asked.life = name_of(given[0])
        return Answered(self.journal.note(asked), document)


def _operation(verb: Verb, life: str, subject: str) -> Operation:
    return Operation(verb, life, name_of(subject), "silent" if verb in _READS else "open", 0, None)
