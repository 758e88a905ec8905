"""A customer's own pages: the connected applications, and cutting one off."""

from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.flows.browser_flow import FormFlow, SignInFlow, open_form, seal_flow
from app.flows.connections import ConnectedApplication, disconnect_application, list_connections
from app.flows.sign_in import read_session
from app.oauth.scope import KNOWN_SCOPES
from app.web.pages.browser import cookie_of, read_form
from app.web.pages.login import CONNECTIONS, LOGIN, LOGOUT, login_page, logout_hidden
from app.web.pages.render import page, see_other, shown
from app.web.request import context_of

DISCONNECT = "/app/account/applications/disconnect"

_DISCONNECT = "disconnect"
_DISCONNECTED = "The application was disconnected. It can no longer read your data."


async def connections(request: Request) -> Response:
    context = context_of(request)
    member = await read_session(context, cookie_of(request, "session"))
    if member is None:
        return await login_page(request, SignInFlow(CONNECTIONS))
    connected = await list_connections(context, member.customer_id)
    return page(
        request,
        "connections.html",
        signed_in=member,
        customer={"name": member.name, "email": member.email, "account": member.customer_name},
        connections=[_row(request, each) for each in connected],
        notice=_DISCONNECTED if "disconnected" in request.query_params else None,
        logout_action=LOGOUT,
        logout_hidden=logout_hidden(request, LOGIN),
    )


async def submit_disconnect(request: Request) -> Response:
    context = context_of(request)
    form = await read_form(request)
    session = cookie_of(request, "session")
    member = await read_session(context, session)
    if member is None:
        return see_other(LOGIN)
    flow = open_form(context, form.get("form"), browser=session, action=_DISCONNECT)
    await disconnect_application(context, member, UUID(flow.subject))
    return see_other(f"{CONNECTIONS}?disconnected")


def _row(request: Request, connected: ConnectedApplication) -> dict[str, Any]:
    connection = connected.connection
    form = FormFlow(_DISCONNECT, str(connection.application_id))
    session = cookie_of(request, "session") or ""
    return {
        "application": shown(connected.application),
        "scopes": [KNOWN_SCOPES[scope] for scope in connection.scopes],
        "connected_at": _day(connection.connected_at),
        "last_used_at": _day(connection.used_at) if connection.used_at else None,
        "by": ", ".join(connection.member_names),
        "action": DISCONNECT,
        "hidden": [("form", seal_flow(context_of(request), form, browser=session))],
    }


def _day(moment: datetime) -> str:
    return f"{moment:%-d %B %Y}"
