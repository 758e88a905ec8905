"""The front page."""

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.sign_in import read_session
from app.web.pages.browser import cookie_of
from app.web.pages.demo import demo_of
from app.web.pages.render import page
from app.web.request import context_of


async def home(request: Request) -> Response:
    demo = demo_of(request)
    return page(
        request,
        "home.html",
        signed_in=await read_session(context_of(request), cookie_of(request, "session")),
        demo=demo and {"email": demo.email, "password": demo.password, "consent_url": demo.consent_url},
    )
