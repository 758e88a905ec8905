"""Time tells no more than the page does: whether somebody signs in with an address is not in how long an answer takes."""

import re
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from app.context import Context
from app.flows.account.change_customer import disable_customer
from app.oauth.actor import COMMAND_LINE
from tests.support.browser import Browser, form_of
from tests.support.depth import DEPTH
from tests.support.equal_time import assert_alike
from tests.support.people import World
from tests.support.raw import post
from tests.support.server import free_port, running_service, settings_on

pytestmark = pytest.mark.alone

LOGIN, FORGOTTEN, REGISTER = "/app/login", "/app/password/forgotten", "/app/register"
# Each sign-in hashes a password, which takes longer than all else; a hash that is left out shows in a single pair. Three
# and a half standard deviations of 100 pairs, and seven of 1,000.
FEW_PAIRS = 100 * DEPTH
MOST_APART = 0.14 if DEPTH == 1 else 0.09
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@pytest.fixture(scope="module")
async def port(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[int]:
    """A service that limits nobody, since both kinds would be limited alike.

    Its mail server is away, so that it writes no mails beside: it would hold up the requests that are timed.
    """
    port = free_port()
    settings = {
        **settings_on(database_url, redis_url, tmp_path_factory.mktemp("times")),
        "ROVITRACKER_LOG_LEVEL": "error",
        "ROVITRACKER_LIMIT_QUEUE_WAIT": "5s",
        "ROVITRACKER_SMTP_URL": f"smtp://127.0.0.1:{free_port()}",
        "ROVITRACKER_MAIL_FROM": "no-reply@rovitracker.example",
        "ROVITRACKER_LIMIT_GUESSES_PER_ACCOUNT": "1000000",
        "ROVITRACKER_LIMIT_GUESSES_PER_ADDRESS": "1000000",
        "ROVITRACKER_LIMIT_MAILS_PER_RECIPIENT": "1000000",
        "ROVITRACKER_LIMIT_MAILS_PER_SENDER": "1000000",
        "ROVITRACKER_LIMIT_MAILS": "1000000",
    }
    async with running_service(port=port, settings=settings):
        yield port


def page_of(status: int) -> Callable[[bytes], bool]:
    """Whether the whole page came. status: that it has for both kinds."""

    def whole(answer: bytes) -> bool:
        assert answer.startswith(b"HTTP/1.1 %d " % status), answer
        head, blank, body = answer.partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r\n")
        return bool(blank) and length is not None and len(body) == int(length[1])

    return whole


def nobody_like(email: str) -> str:
    """An address as long, which nobody has."""
    name, at, host = email.partition("@")
    return f"{uuid4().hex * 2}"[: len(name)] + at + host


async def sign_in_form(port: int) -> tuple[dict[str, str], bytes]:
    """The hidden fields of the form, and the cookie of the browser that it was shown to."""
    async with Browser(base_url=f"http://localhost:{port}") as browser:
        form = form_of(await browser.get(LOGIN), LOGIN)
        cookies = "; ".join(f"{each.name}={each.value}" for each in browser.http.cookies.jar)
    return form.hidden, f"Cookie: {cookies}".encode()


@pytest.mark.parametrize("who", ["a member", "somebody of a disabled account"])
async def test_wrong_password_takes_as_long_as_an_unknown_address(
    port: int, context: Context, world: World, who: str
) -> None:
    """R-54: a password is hashed for both, and both are counted and noted."""
    if who == "somebody of a disabled account":
        await disable_customer(context, COMMAND_LINE, world.member.email)
    hidden, cookie = await sign_in_form(port)
    known, unknown = world.member.email, nobody_like(world.member.email)

    def ask(email: str) -> bytes:
        fields = {**hidden, "email": email, "password": "wrong horse battery"}
        return post(urlencode(fields).encode(), cookie, path=LOGIN.encode())

    assert_alike(
        port,
        lambda: ask(unknown),
        lambda: ask(known),
        page_of(400),
        pairs=FEW_PAIRS,
        most_apart=MOST_APART,
    )


@pytest.mark.parametrize("path", [FORGOTTEN, REGISTER])
async def test_question_about_a_known_address_takes_as_long_as_about_an_unknown_one(
    port: int, world: World, path: str
) -> None:
    """R-54: nobody is looked up before the answer has left."""
    known, unknown = world.member.email, nobody_like(world.member.email)

    def ask(email: str) -> bytes:
        return post(urlencode({"email": email}).encode(), path=path.encode())

    assert_alike(port, lambda: ask(unknown), lambda: ask(known), page_of(200))
