"""An owner of applications, who came as everybody does: by signing up."""

from uuid import uuid4

import httpx2

from app.context import Context
from app.flows.mail.links import mint_sign_up_secret
from tests.support.browser import Browser
from tests.support.people import PASSWORD

REGISTER = "/app/register"
NEW = "/app/developer/new"


async def sign_up_link(context: Context, browser: Browser, email: str) -> str:
    """The address that the mail to somebody who signs up holds."""
    asked = await browser.submit(await browser.get(REGISTER), {"email": email})
    assert asked.status_code == 200, asked.text
    row = await context.database.row("SELECT id FROM sign_up WHERE email = $1 ORDER BY id DESC", email)
    assert row is not None
    return f"{REGISTER}/{await mint_sign_up_secret(context, row['id'])}"


async def sign_up(context: Context, browser: Browser, *, name: str = "Olga Owner") -> str:
    """Sign up somebody new, who is signed in then; their address."""
    email = f"olga.{uuid4().hex[:12]}@sitewise.example"
    page = await browser.get(await sign_up_link(context, browser, email))
    answer = await browser.submit(page, {"name": name, "password": PASSWORD}, action=REGISTER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/developer"), answer.text
    return email


async def register_own(browser: Browser, **fields: str) -> httpx2.Response:
    """The page of a new application, or of the refusal."""
    typed = {"company": "Sitewise Rentals Ltd", "name": "Sitewise", **fields}
    return await browser.submit(await browser.get(NEW), typed, action=NEW)
