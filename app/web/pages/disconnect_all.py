"""The page that asks before every application is disconnected."""

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.rights import RoleError
from app.flows.approval.browser_flow import SignInFlow
from app.flows.approval.connections import disconnect_all as disconnect_all_of
from app.flows.approval.connections import list_connections
from app.oauth.member_role import may
from app.web.pages.account import account_page
from app.web.pages.account_form import posted_form, sealed_form
from app.web.pages.language import language_of
from app.web.pages.login import login_page
from app.web.pages.render import see_other, shown
from app.web.pages.signed_in import member_here, require_member
from app.web.paths import CONNECTIONS, DISCONNECT_ALL, LOGIN
from app.web.request import context_of

_FORM = "disconnect all"


async def disconnect_all(request: Request) -> Response:
    """GET: it names what would be disconnected, and changes nothing. Raises RoleError for a viewer."""
    member = await member_here(request)
    if member is None:
        return await login_page(request, SignInFlow(DISCONNECT_ALL))
    if not may(member.role, "connect"):
        raise RoleError("connect")
    connected = await list_connections(context_of(request), member.customer_id)
    return account_page(
        request,
        member,
        CONNECTIONS,
        "disconnect_all.html",
        back_to=DISCONNECT_ALL,
        applications=[shown(each.application) for each in connected],
        connections_url=CONNECTIONS,
        form=(DISCONNECT_ALL, sealed_form(request, _FORM)),
    )


async def submit_disconnect_all(request: Request) -> Response:
    posted = await posted_form(request, _FORM)
    if posted is None:
        return see_other(LOGIN)
    member = require_member(posted.person)
    language = language_of(request, member).code
    await disconnect_all_of(context_of(request), member.actor, member.customer_id, language=language)
    return see_other(f"{CONNECTIONS}?all-disconnected")
