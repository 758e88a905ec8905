"""An operator in a browser, who has an authenticator app."""

from pyotp import TOTP

from app.flows.account.add_operator import add_operator
from app.oauth.actor import COMMAND_LINE
from app.storage.people.people import OperatorRole
from tests.pages.service import Service
from tests.pages.visitor import Visitor
from tests.support.people import PASSWORD


async def sign_in_as_operator(visitor: Visitor, service: Service, email: str, role: OperatorRole) -> None:
    """Somebody new, who is signed in with the second factor then."""
    page = visitor.page
    await add_operator(
        service.context, COMMAND_LINE, email=email, name="Rita Reyes", role=role, password=PASSWORD
    )
    await page.goto(service.url("/app/operator/staff"))
    await visitor.sign_in(email, PASSWORD)
    await page.goto(service.url("/app/account/security/authenticator"))
    totp = TOTP((await page.locator(".key").inner_text()).replace(" ", ""))
    await page.get_by_label("Code", exact=True).fill(totp.now())
    await page.get_by_label("Password").fill(PASSWORD)
    await visitor.button("Turn on").click()
