"""A customer's own pages: the machines, the connected applications, and cutting one off."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.aemp.address.paging import parse_page
from app.aemp.model.errors import AempError
from app.aemp.model.values import Equipment
from app.aemp.write.snapshot import newest_reading_at
from app.flows.approval.browser_flow import FormFlow, SignInFlow, open_form, seal_flow
from app.flows.approval.connections import ConnectedApplication, disconnect_application, list_connections
from app.flows.fleet.count_machines import count_machines
from app.flows.fleet.read_fleet import FleetPage, read_fleet_page
from app.oauth.errors import PageError
from app.oauth.member_role import may
from app.oauth.parameters import has_parameter, parse_query
from app.oauth.scope import opened_by
from app.sentence import Sentence
from app.storage.fleet.view import FleetView
from app.storage.people.members import Member
from app.storage.people.people import Person
from app.web.pages.browser import cookie_of, read_form
from app.web.pages.language import language_of
from app.web.pages.login import login_page, logout_hidden
from app.web.pages.render import page, see_other, shown
from app.web.pages.signed_in import member_here
from app.web.paths import (
    ACCOUNT,
    CONNECTION,
    CONNECTIONS,
    DEVELOPER,
    DISCONNECT,
    DISCONNECT_ALL,
    LOGIN,
    LOGOUT,
    MACHINES,
    PEOPLE,
    PROFILE,
    REQUEST_QUEUE,
    REQUESTS,
    REVIEWS,
    SECURITY,
    STAFF,
)
from app.web.request import context_of, raw_query

_OVERVIEW = (Sentence("Overview"), ACCOUNT)
_OF_OPERATORS = (
    (Sentence("Reviews"), REVIEWS),
    (Sentence("Manual requests"), REQUEST_QUEUE),
    (Sentence("Staff"), STAFF),
)
_DEVELOPER = (Sentence("Your applications"), DEVELOPER)
_OWN = ((Sentence("Security"), SECURITY), (Sentence("Profile"), PROFILE))
_OF_THE_ACCOUNT = (
    (Sentence("Machines"), MACHINES),
    (Sentence("Connected applications"), CONNECTIONS),
    (Sentence("Requests"), REQUESTS),
    (Sentence("People"), PEOPLE),
)
_NAMES = (
    (Sentence("Your number"), "equipment_id"),
    (Sentence("PIN or VIN"), "pin"),
    (Sentence("Serial number"), "serial_number"),
)
DISCONNECT_FORM = "disconnect"
_NOTICES = {
    "disconnected": Sentence("The application was disconnected. It has no access to your machines any more."),
    "all-disconnected": Sentence(
        "All applications were disconnected. They have no access to your machines any more."
    ),
}


async def machines(request: Request) -> Response:
    member = await member_here(request)
    if member is None:
        return await login_page(request, SignInFlow(MACHINES))
    found = await _fleet_page(request, member)
    return account_page(
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
    member = await member_here(request)
    if member is None:
        return await login_page(request, SignInFlow(CONNECTIONS))
    connected = await list_connections(context, member.customer_id)
    return account_page(
        request,
        member,
        CONNECTIONS,
        "connections.html",
        connections=[_connection(request, each) for each in connected],
        machine_count=(await count_machines(context, member.customer_id)).machines,
        may_disconnect=may(member.role, "connect"),
        people_url=PEOPLE,
        disconnect_all_url=DISCONNECT_ALL,
        notice=next(
            (text for name, text in _NOTICES.items() if has_parameter(raw_query(request), name)), None
        ),
    )


async def submit_disconnect(request: Request) -> Response:
    context = context_of(request)
    form = await read_form(request)
    session = cookie_of(request, "session")
    member = await member_here(request)
    if member is None:
        return see_other(LOGIN)
    flow = open_form(context, form.get("form"), browser=session, action=DISCONNECT_FORM)
    await disconnect_application(
        context,
        member.actor,
        member.customer_id,
        UUID(flow.subject),
        language=language_of(request, member).code,
    )
    return see_other(f"{CONNECTIONS}?disconnected")


def account_page(
    request: Request,
    person: Person,
    here: str,
    template: str,
    *,
    status: int = 200,
    back_to: str | None = None,
    **values: Any,
) -> Response:
    """A page of a person's own. here: the address of the tab it stands under. back_to: its own, where it has another."""
    return page(
        request,
        template,
        status=status,
        signed_in=person,
        back_to=back_to or here,
        customer={
            "name": person.name,
            "email": person.email,
            "account": person.customer_name,
            "role": person.role,
            "operator": person.operator_role is not None,
        },
        pages=_sections(person),
        here=here,
        logout_action=LOGOUT,
        logout_hidden=logout_hidden(request, LOGIN),
        **values,
    )


def connection_address(application_id: UUID) -> str:
    """The address of the page about one connection."""
    return CONNECTION.replace("{application:uuid}", str(application_id))


def _sections(person: Person) -> tuple[tuple[str, str], ...]:
    """They follow from what the person is."""
    operators = _OF_OPERATORS if person.operator_role else ()
    members = _OF_THE_ACCOUNT if person.customer_id else ()
    owners = (_DEVELOPER,) if person.develops or not (members or operators) else ()
    return (_OVERVIEW, *operators, *members, *owners, *_OWN)


async def _fleet_page(request: Request, member: Member) -> FleetPage:
    """The one the address asks for, as the fleet stands."""
    try:
        return await read_fleet_page(context_of(request), FleetView(member.customer_id), _page_asked(request))
    except AempError as refused:
        raise PageError(
            Sentence("There is no such page"),
            Sentence("Your list of machines has become shorter, or the address is mistyped."),
            404,
        ) from refused


def _page_asked(request: Request) -> int:
    query = raw_query(request)
    if not has_parameter(query, "page"):
        return 1
    return parse_page(parse_query(query).values.get("page", ""))


def _machine(machine: Equipment) -> dict[str, Any]:
    header = machine.header
    return {
        "name": " ".join(filter(None, (header.oem_name, header.model))) or Sentence("Unnamed"),
        "names": [(label, getattr(header, name)) for label, name in _NAMES if getattr(header, name)],
        "read_at": newest_reading_at(machine),
    }


def _connection(request: Request, connected: ConnectedApplication) -> dict[str, Any]:
    connection = connected.connection
    form = FormFlow(DISCONNECT_FORM, str(connection.application_id))
    session = cookie_of(request, "session") or ""
    return {
        "application": shown(connected.application),
        "scopes": opened_by(connection.scopes),
        "connected_at": connection.connected_at,
        "last_read_at": connection.last_read_at,
        "reads": connection.reads_30_days,
        "by": ", ".join(connection.member_names),
        "machines": connection.machines,
        "ends_at": connection.ends_at,
        "unused": connection.unused,
        "url": connection_address(connection.application_id),
        "action": DISCONNECT,
        "hidden": [("form", seal_flow(context_of(request), form, browser=session))],
    }
