"""The front page."""

from starlette.requests import Request
from starlette.responses import Response

from app.web.pages.demo import demo_of
from app.web.pages.render import page
from app.web.pages.signed_in import person_here


async def home(request: Request) -> Response:
    demo = demo_of(request)
    return page(
        request,
        "home.html",
        signed_in=await person_here(request),
        demo=demo and {"email": demo.email, "password": demo.password, "consent_url": demo.consent_url},
    )
