"""Addresses that guess passwords in turn, each with a sign-in page that it read beforehand."""

import itertools
import secrets
from collections.abc import Sequence
from contextlib import suppress

import uvloop

from app.throttling.guesses import TooManyGuessesError, reserve
from bench.ground.context import opened
from bench.ground.token_path import Ground
from bench.load.records import form_request
from bench.strain.people import LOGIN, Person, read_pages


class Guessers:
    """Addresses that guess in turn: half at accounts and at addresses nobody has, half at one new address a guess."""

    def __init__(self, url: str, targets: Sequence[Person], addresses: Sequence[str]) -> None:
        self.url = url
        self._pages = [*zip(addresses, read_pages(url, addresses), strict=True)]
        named = [person.email for person in targets]
        self._named = itertools.cycle([*named, *(_nobody() for _ in range(len(named)))])

    def guesses(self, count: int) -> list[bytes]:
        # The addresses take turns, and so do the two kinds within each of them.
        turns = (number // len(self._pages) + number for number in range(count))
        emails = (next(self._named) if turn % 2 else _nobody() for turn in turns)
        return [self._guess(number, email) for number, email in enumerate(emails)]

    def _guess(self, number: int, email: str) -> bytes:
        address, page = self._pages[number % len(self._pages)]
        fields = {**page.hidden, "email": email, "password": secrets.token_urlsafe(8)}
        headers = {"X-Forwarded-For": address, "Cookie": f"rovi_browser={page.browser}"}
        return form_request(LOGIN, fields, more=headers)


def _nobody() -> str:
    return f"{secrets.token_hex(8)}@nobody.example"


def use_limits_up(ground: Ground, addresses: Sequence[str]) -> None:
    """Count as many guesses from each address as its limit allows, as the sign-in does, but without hashing them."""
    uvloop.run(_use_limits_up(ground, addresses))


async def _use_limits_up(ground: Ground, addresses: Sequence[str]) -> None:
    stores = ground.service_stores
    async with opened(ground.service, stores.database_url, stores.redis_url) as context:
        limits = context.policy.guess_limits
        for address in addresses:
            with suppress(TooManyGuessesError):
                while True:
                    await reserve(
                        context.database, limits.from_stranger(_nobody(), address), context.network_levels
                    )
