"""The model is held against each process: what lives is found living, what ended is refused within a second."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from tests.lifecycle.house import PROCESSES, House
from tests.lifecycle.model import AccessToken, Application, Model, Secret, Token
from tests.lifecycle.named import Named
from tests.lifecycle.service import Service, document_or_error, request, told_by
from tests.support.raw import RawAnswer, get

A_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class Claim:
    """One question about a thing, and what the model answers: None where it has ended."""

    about: Named
    asked: bytes
    told: Callable[[RawAnswer], object]
    expected: object


def claims_about_applications(model: Model, service: Service) -> Iterator[Claim]:
    """Whether each may ask for approval, and by which secrets it is known."""
    customer = model.customers[0]  # anybody: it is asked before anybody signs in
    for application in model.applications:
        asked = get(service.authorize_url(application, customer).encode())
        yield Claim(application, asked, _welcomed, True if application.status == "active" else None)
        for secret in application.secrets:
            asked = _introspection(service, application, secret, "unknown")
            yield Claim(secret, asked, _proved, True if application.proves(secret) else None)


def claims_about_tokens(model: Model, service: Service) -> Iterator[Claim]:
    """What introspection says of each, and for an access token what the API does."""
    for token in model.tokens:
        yield from _introspected(model, service, token)
        if isinstance(token, AccessToken):
            headers = b"Authorization: Bearer " + service.texts[token].encode()
            # Whoever acts for nobody has no machines to see.
            expected = (200 if token.customer else 403) if model.lives(token) else None
            yield Claim(token, get(b"/api/v2/Fleet/1", headers), _served, expected)


def _introspected(model: Model, service: Service, token: Token) -> Iterator[Claim]:
    """Ask as a party that may know of it. A public or deleted application may not ask, and nobody else about its refresh tokens."""
    if isinstance(token, AccessToken):
        asked = request("introspect", by=service.house.watcher, token=service.texts[token])
    elif (secret := token.application.secret) and token.application.proves(secret):
        asked = _introspection(service, token.application, secret, service.texts[token])
    else:
        return
    described = service.described(token, model.connection_of(token)) if model.lives(token) else None
    yield Claim(token, asked, _described, described)


def _introspection(service: Service, by: Application, secret: Secret, token: str) -> bytes:
    return request("introspect", by=service.registered[by], client_secret=service.texts[secret], token=token)


def _described(answer: RawAnswer) -> object:
    document = document_or_error(answer)
    assert isinstance(document, dict), document
    return told_by(document)


def _served(answer: RawAnswer) -> object:
    return None if answer.status == 401 else answer.status


def _welcomed(answer: RawAnswer) -> object:
    return True if answer.status == 200 else None


def _proved(answer: RawAnswer) -> object:
    return None if document_or_error(answer) == "invalid_client" else True


@dataclass(slots=True)
class Watch:
    """settled: the questions that each process answered rightly after the last step, and whether that was a yes."""

    house: House
    settled: dict[bytes, bool]

    async def hold(self, claims: Sequence[Claim]) -> None:
        """Every process is asked until it says what the model says; for a second only, and only where that changed."""
        deadline = monotonic() + A_SECOND
        await asyncio.gather(*(self._hold(process, claims, deadline) for process in PROCESSES))
        self.settled.update({claim.asked: claim.expected is not None for claim in claims})

    async def _hold(self, process: int, claims: Sequence[Claim], deadline: float) -> None:
        while claims:
            in_time = monotonic() < deadline
            answers = await self.house.ask(process, [claim.asked for claim in claims])
            found = [(claim, claim.told(answer)) for claim, answer in zip(claims, answers, strict=True)]
            late = [(claim, told) for claim, told in found if told != claim.expected]
            for claim, told in late:
                allowed = in_time and self._may_be_late(claim, told)
                assert allowed, f"{claim.about} at process {process}: {told} instead of {claim.expected}"
            claims = [claim for claim, _ in late]

    def _may_be_late(self, claim: Claim, told: object) -> bool:
        """A token that lives is never refused, and what was ended has no second any more."""
        if told is None:
            return not isinstance(claim.about, Token) and not self.settled.get(claim.asked)
        return claim.expected is not None or self.settled.get(claim.asked) is not False
