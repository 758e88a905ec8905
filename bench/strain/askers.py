"""The callers in a flood: honest ones about live tokens, and a forger with its own name and address."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import SystemRandom

import orjson

from app.oauth.answer import INACTIVE
from app.oauth.token_string import mint
from bench.ground.token_path import Ground, fleet_token, getting, introspecting
from bench.load.check import CheckError
from bench.load.records import form_request, get_request, read_answers, write_requests
from bench.load.rounds import Contender

_FLEET = "/api/v2/Fleet/1"
_OK, _UNAUTHORIZED, _TOO_MANY, _UNAVAILABLE = 200, 401, 429, 503


@dataclass(frozen=True, slots=True)
class Askers:
    """name: of what is asked for. forger: asks for the same, as often, with tokens nobody issued."""

    name: str
    honest: Contender
    forger: Contender


def asking_introspection(ground: Ground, url: str, pid: int, *, name: str) -> Askers:
    """The last of the applications forges, as one whose own callers send it forged tokens would."""
    *others, forging = ground.applications
    honest = introspecting(replace(ground, applications=others), name, url, pid, ground.service_stores)

    def write(path: Path, count: int) -> None:
        forged = ({**forging.credentials, "token": token} for token in forge(count))
        write_requests(path, (form_request("/app/oauth2/introspect", each) for each in forged))

    check = partial(check_refused, _OK)
    return Askers(name, honest, Contender("forger", url, pid, write, once=True, check=check))


def asking_fleet(ground: Ground, url: str, pid: int, *, name: str) -> Askers:
    def write(path: Path, count: int) -> None:
        write_requests(path, (_fleet_request(token) for token in forge(count)))

    honest = getting(name, url, pid, _FLEET, fleet_token(ground))
    check = partial(check_refused, _UNAUTHORIZED)
    return Askers(
        name,
        replace(honest, check=_check_fleets),
        Contender("forger", url, pid, write, once=True, check=check),
    )


def _fleet_request(token: str) -> bytes:
    return get_request(_FLEET, bearer=token, Accept="application/json")


def forge(count: int) -> Iterator[str]:
    """Tokens of the published format, each with an id and a secret by chance; of both classes in turn."""
    chance = SystemRandom()
    for number in range(count):
        yield mint("at", "c" if number % 2 else "s", chance.randrange(4096)).text


def check_refused(looked_up: int, _requests: Path, answers: Path) -> None:
    """looked_up: how a forged token is answered that was looked up; all others were turned away."""
    for answer in read_answers(answers):
        if answer.status not in {looked_up, _TOO_MANY, _UNAVAILABLE}:
            raise CheckError(f"a forged token was answered {answer.status}")
        if answer.status == _OK and answer.body != INACTIVE:
            raise CheckError("a forged token was called active")


def _check_fleets(_requests: Path, answers: Path) -> None:
    """Each is the fleet of one machine."""
    for answer in read_answers(answers):
        if answer.status != _OK or len(orjson.loads(answer.body)["Equipment"]) != 1:
            raise CheckError(f"a fleet was answered {answer.status}, or not wholly")
