"""A customer's own pages: the machines, the connected applications, and cutting one off."""

from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.aemp.address.paging import parse_page
from app.aemp.model.errors import AempError
from app.aemp.model.times import format_time
from app.aemp.model.values import Equipment
from app.aemp.write.snapshot import newest_reading_at
from app.flows.account.sign_in import read_session
from app.flows.approval.browser_flow import FormFlow, SignInFlow, open_form, seal_flow
from app.flows.approval.connections import ConnectedApplication, disconnect_application, list_connections
from app.flows.fleet.read_fleet import FleetPage, read_fleet_page
from app.oauth.actor import Actor
from app.oauth.errors import PageError
from app.oauth.parameters import has_parameter, parse_query
from app.oauth.scope import opened_by
from app.storage.people.people import Member
from app.web.pages.browser import cookie_of, read_form
from app.web.pages.login import login_page, logout_hidden
from app.web.pages.render import page, see_other, shown
from app.web.paths import CONNECTIONS, DISCONNECT, LOGIN, LOGOUT, MACHINES
from app.web.request import context_of, raw_query

_PAGES = (("Machines", MACHINES), ("Connected applications", CONNECTIONS))
_NAMES = (("Your number", "equipment_id"), ("PIN or VIN", "pin"), ("Serial number", "serial_number"))
_DISCONNECT = "disconnect"
_DISCONNECTED = "The application was disconnected. It has no access to your machines any more."


async def machines(request: Request) -> Response:
    member = await read_session(context_of(request), cookie_of(request, "session"))
    if member is None:
        return await login_page(request, SignInFlow(MACHINES))
    found = await _fleet_page(request, member)
    return _account_page(
        request,
        member,
        MACHINES,
        "machines.html",
        machines=[_machine(each) for each in found.machines],
        page=found.page,
        last_page=found.last_page,
    )


async def connections(request: Request) -> Response:
    context = context_of(request)
    member = await read_session(context, cookie_of(request, "session"))
    if member is None:
        return await login_page(request, SignInFlow(CONNECTIONS))
    connected = await list_connections(context, member.customer_id)
    return _account_page(
        request,
        member,
        CONNECTIONS,
        "connections.html",
        connections=[_connection(request, each) for each in connected],
        notice=_DISCONNECTED if has_parameter(raw_query(request), "disconnected") else None,
    )


async def submit_disconnect(request: Request) -> Response:
    context = context_of(request)
    form = await read_form(request)
    session = cookie_of(request, "session")
    member = await read_session(context, session)
    if member is None:
        return see_other(LOGIN)
    flow = open_form(context, form.get("form"), browser=session, action=_DISCONNECT)
    await disconnect_application(
        context, Actor("customer", member.id), member.customer_id, UUID(flow.subject)
    )
    return see_other(f"{CONNECTIONS}?disconnected")


def _account_page(request: Request, member: Member, here: str, template: str, **values: Any) -> Response:
    return page(
        request,
        template,
        signed_in=member,
        customer={"name": member.name, "email": member.email, "account": member.customer_name},
        pages=_PAGES,
        here=here,
        logout_action=LOGOUT,
        logout_hidden=logout_hidden(request, LOGIN),
        **values,
    )


async def _fleet_page(request: Request, member: Member) -> FleetPage:
    """The one the address asks for, as the fleet stands."""
    try:
        return await read_fleet_page(context_of(request), member.customer_id, _page_asked(request))
    except AempError as refused:
        raise PageError(
            "There is no such page",
            "Your list of machines has become shorter, or the address is mistyped.",
            404,
        ) from refused


def _page_asked(request: Request) -> int:
    query = raw_query(request)
    if not has_parameter(query, "page"):
        return 1
    return parse_page(parse_query(query).values.get("page", ""))


def _machine(machine: Equipment) -> dict[str, Any]:
    header, read_at = machine.header, newest_reading_at(machine)
    return {
        "name": " ".join(filter(None, (header.oem_name, header.model))) or "Unnamed",
        "names": [(label, getattr(header, name)) for label, name in _NAMES if getattr(header, name)],
        "read_at": read_at and {"machine": format_time(read_at), "person": f"{read_at:%-d %B %Y, %H:%M} UTC"},
    }


def _connection(request: Request, connected: ConnectedApplication) -> dict[str, Any]:
    connection = connected.connection
    form = FormFlow(_DISCONNECT, str(connection.application_id))
    session = cookie_of(request, "session") or ""
    return {
        "application": shown(connected.application),
        "scopes": opened_by(connection.scopes),
        "connected_at": _day(connection.connected_at),
        "last_used_at": _day(connection.used_at) if connection.used_at else None,
        "by": ", ".join(connection.member_names),
        "action": DISCONNECT,
        "hidden": [("form", seal_flow(context_of(request), form, browser=session))],
    }


def _day(moment: datetime) -> str:
    return f"{moment:%-d %B %Y}"
