"""People who sign in at the real page, each from an address of their own: in a browser that is known, or in a new one."""

import asyncio
import secrets
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address
from random import Random
from time import perf_counter

import httpx2
import uvloop
from lxml import html

from app.context import Context
from app.flows.account.add_customer import add_customer
from app.oauth.actor import COMMAND_LINE
from bench.ground.context import opened
from bench.ground.token_path import Ground

LOGIN = "/app/login"

KNOWN, NEW = "known browsers", "new browsers"

_BROWSER, _SESSION, _KNOWN = "rovi_browser", "rovi_session", "rovi_known"
_SEE_OTHER = 303
_TIMEOUT_S = 10.0
_KEPT_S = 2.0  # a connection that idles longer is closed before the service closes it under a request
_SEED = 7  # the people come at the same moments of every round


@dataclass(frozen=True, slots=True)
class Person:
    """address: where the browser is. known_cookie: of a browser in which this person signed in before."""

    email: str
    password: str
    address: str
    known_cookie: str | None = None

    @property
    def browser(self) -> str:
        return KNOWN if self.known_cookie else NEW


@dataclass(frozen=True, slots=True)
class SignInPage:
    """What one browser needs to post the form: its mark, and the hidden inputs sealed to it."""

    browser: str
    hidden: dict[str, str]


@dataclass(slots=True)
class SignIns:
    """What people in browsers of one kind got in one round. statuses: of the posted forms, or why there was no answer.

    taken_s: from the moment a sign-in was due to the answer of its form. begun_s: when each was due.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    taken_s: "array[float]" = field(default_factory=lambda: array("d"))
    begun_s: "array[float]" = field(default_factory=lambda: array("d"))

    @property
    def failed(self) -> Counter[str]:
        return Counter({status: n for status, n in self.statuses.items() if status != f"{_SEE_OTHER}"})


def add_people(ground: Ground, count: int, *, network: str) -> list[Person]:
    """network: the address before the first of theirs."""
    return uvloop.run(_add_people(ground, count, network))


async def _add_people(ground: Ground, count: int, network: str) -> list[Person]:
    stores = ground.service_stores
    async with opened(ground.service, stores.database_url, stores.redis_url) as context:
        return [
            await _add_person(context, f"{IPv4Address(network) + number}") for number in range(1, count + 1)
        ]


async def _add_person(context: Context, address: str) -> Person:
    name, password = f"person-{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    email = f"{name}@customer.example"
    await add_customer(context, COMMAND_LINE, email=email, name=name, password=password)
    return Person(email, password, address)


def make_known(url: str, people: Sequence[Person]) -> list[Person]:
    """Each signs in once, in the browser that is known from then on."""
    return uvloop.run(_make_known(url, people))


async def _make_known(url: str, people: Sequence[Person]) -> list[Person]:
    async with _client(url) as client:
        return [
            replace(person, known_cookie=(await _sign_in(client, person)).cookies[_KNOWN])
            for person in people
        ]


def read_pages(url: str, addresses: Sequence[str]) -> list[SignInPage]:
    """The sign-in page once from each address."""
    return uvloop.run(_read_pages(url, addresses))


async def _read_pages(url: str, addresses: Sequence[str]) -> list[SignInPage]:
    async with _client(url) as client:
        return [await _read_page(client, address) for address in addresses]


def keep_signing_in(
    url: str, people: Sequence[Person], *, rate: float, seconds: float
) -> Mapping[str, SignIns]:
    """People come one after the other, so many a second by chance, whether or not those before are in.

    What they got, by their browsers.
    """
    return uvloop.run(_keep_signing_in(url, people, rate, seconds))


async def _keep_signing_in(
    url: str, people: Sequence[Person], rate: float, seconds: float
) -> Mapping[str, SignIns]:
    chance = Random(_SEED)  # noqa: S311  # guards nothing
    done, number, due = {KNOWN: SignIns(), NEW: SignIns()}, 0, 0.0
    async with _client(url) as client, asyncio.TaskGroup() as under_way:
        began = perf_counter()
        while (due := due + chance.expovariate(rate)) < seconds:
            await asyncio.sleep(max(0.0, began + due - perf_counter()))
            person = people[number % len(people)]
            under_way.create_task(_count(client, person, done[person.browser], began, due))
            number += 1
    return done


async def _count(client: httpx2.AsyncClient, person: Person, done: SignIns, began: float, due: float) -> None:
    try:
        answer = await _sign_in(client, person)
    except (httpx2.HTTPError, KeyError) as error:  # an error page sets no cookie
        status = type(error).__name__
    else:
        opened_session = answer.status_code == _SEE_OTHER and _SESSION in answer.cookies
        status = (
            f"{answer.status_code}" if opened_session or answer.status_code != _SEE_OTHER else "no session"
        )
    done.statuses[status] += 1
    done.taken_s.append(perf_counter() - began - due)
    done.begun_s.append(due)


async def _sign_in(client: httpx2.AsyncClient, person: Person) -> httpx2.Response:
    page = await _read_page(client, person.address, person.known_cookie)
    known = f"; {_KNOWN}={person.known_cookie}" if person.known_cookie else ""
    headers = {"X-Forwarded-For": person.address, "Cookie": f"{_BROWSER}={page.browser}{known}"}
    typed = {"email": person.email, "password": person.password}
    return await client.post(LOGIN, data={**page.hidden, **typed}, headers=headers)


async def _read_page(client: httpx2.AsyncClient, address: str, known: str | None = None) -> SignInPage:
    cookies = {"Cookie": f"{_KNOWN}={known}"} if known else {}
    page = await client.get(LOGIN, headers={"X-Forwarded-For": address, **cookies})
    boxes = html.fromstring(page.text).iterfind(".//form//input[@type='hidden']")
    return SignInPage(
        page.cookies[_BROWSER], {f"{box.get('name')}": f"{box.get('value', '')}" for box in boxes}
    )


def _client(url: str) -> httpx2.AsyncClient:
    """The connections of a proxy, which keep no cookies: each person brings their own."""
    none_kept = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    limits = httpx2.Limits(max_connections=None, keepalive_expiry=_KEPT_S)
    return httpx2.AsyncClient(base_url=url, cookies=none_kept, limits=limits, timeout=_TIMEOUT_S)
