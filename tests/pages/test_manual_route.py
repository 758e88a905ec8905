"""The manual route in three browsers: an owner asks, an operator lets it through, a customer says yes, the owner picks up."""

import asyncio
import html
import os
import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from pyotp import TOTP

from app.mail.server import MailServer
from tests.conftest import make_database
from tests.mail.sink import Sink, mail_server
from tests.pages.conftest import Visit
from tests.pages.service import Service, open_service
from tests.pages.visitor import Visitor
from tests.support.people import PASSWORD
from tests.support.requests import WHY, Asking, add_operator_person

QUEUE, AUTHENTICATOR = "/app/operator/requests", "/app/account/security/authenticator"


@pytest.fixture
async def inbox() -> AsyncIterator[tuple[Sink, MailServer]]:
    """A mail server that takes every mail."""
    sink = Sink()
    async with mail_server(sink) as server:
        yield sink, server


@pytest.fixture
async def service(
    chromium: Browser,  # noqa: ARG001  # without a browser nothing here needs a service
    servers: tuple[str, str],
    redis_url: str,
    tmp_path: Path,
    inbox: tuple[Sink, MailServer],
) -> AsyncIterator[Service]:
    """One of its own, which hands its mails over to that server."""
    url = await make_database(servers[0], f"pages_by_mail_{os.getpid()}")
    mails = {
        "smtp_url": f"smtp://{inbox[1].host}:{inbox[1].port}",
        "mail_from": "RoviTracker <no-reply@rovi.example>",
    }
    async with open_service(url, redis_url, tmp_path, **mails) as service:
        yield service


async def test_three_people_and_two_mails_lead_to_a_token(
    visit: Visit, service: Service, inbox: tuple[Sink, MailServer]
) -> None:
    """R-50, R-63, O-143: on a phone, without script, by the mails that a mail server got."""
    asking, sink = await Asking.make(service.context), inbox[0]
    owner = await visit(java_script_enabled=False, viewport={"width": 390, "height": 844})
    await owner.page.goto(service.url(asking.address))
    await owner.sign_in(asking.owner.email, PASSWORD)
    await owner.page.get_by_label("The customer's e-mail address").fill(asking.world.member.email)
    await owner.page.get_by_label("Why you ask").fill(WHY)
    await owner.button("Ask").click()
    await expect(owner.page.get_by_role("status")).to_contain_text("RoviTracker looks at the request next")
    operator = await visit()
    await release(operator, service, asking)
    customer = await visit(java_script_enabled=False)
    link = await mailed(sink, asking.world.member.email, "/app/account/requests/")
    await customer.page.goto(link)
    await customer.sign_in(asking.world.member.email, PASSWORD)
    await expect(customer.page.get_by_text(WHY)).to_be_visible()
    await customer.button("Say yes").click()
    await expect(customer.page.get_by_role("status")).to_contain_text("You said yes")
    link = await mailed(sink, asking.owner.email, "/app/developer/pick-up?link=")
    await owner.page.goto(link)
    await owner.button("Make the token and show it").click()
    await expect(owner.page.get_by_text(re.compile("^rovi_at_c"))).to_be_visible()
    await owner.page.goto(link)
    await expect(owner.page.get_by_role("heading", level=1)).to_have_text("This token was picked up already")


async def release(visitor: Visitor, service: Service, asking: Asking) -> None:
    """As a reviewer who signs in for the first time, and sets the second factor up."""
    page, person = visitor.page, await add_operator_person(service.context, "reviewer")
    await page.goto(service.url(QUEUE))
    await visitor.sign_in(person.email, PASSWORD)
    key = (await page.locator("code.key").inner_text()).replace(" ", "")
    await page.get_by_label("Code", exact=True).fill(TOTP(key).now())
    await page.get_by_label("Password").fill(PASSWORD)
    await visitor.button("Turn on").click()
    await expect(page.get_by_role("heading", name="Keep these codes now")).to_be_visible()
    await page.goto(service.url(QUEUE))
    asked = page.get_by_role("listitem").filter(has_text=asking.world.member.email)
    await asked.get_by_label("Your reason").fill("Known company")
    await asked.get_by_role("button", name="Let it through").click()
    await expect(page.get_by_role("status")).to_contain_text("The request was let through")


async def mailed(sink: Sink, email: str, path: str) -> str:
    """The address that a mail to somebody holds, in the text as in the link of its other part."""
    for _ in range(200):
        for message in sink.messages:
            if email in str(message["To"]) and (found := addresses_in(message, path)):
                [address] = set(found)
                return address
        await asyncio.sleep(0.1)
    raise AssertionError(f"no mail to {email} leads to {path}")


def addresses_in(message: EmailMessage, path: str) -> list[str]:
    pattern = re.compile(rf"https?://[^\s\"<>]*{re.escape(path)}[^\s\"<>]*")
    parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return [html.unescape(address) for part in parts for address in pattern.findall(part)]
