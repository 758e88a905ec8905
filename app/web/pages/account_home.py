"""The first page of an account: what it has, who is invited, and what changed since the last visit."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.invite import list_invitations
from app.flows.account.list_changes import list_changes
from app.flows.approval.browser_flow import SignInFlow
from app.flows.approval.connections import list_connections
from app.flows.fleet.count_machines import count_machines
from app.flows.manual.answer import list_waiting_requests
from app.oauth.member_role import ROLE_NAMES, may
from app.oauth.parameters import has_parameter
from app.sentence import Sentence
from app.storage.people.applications import select_applications
from app.storage.people.audit import Change
from app.storage.people.members import Member, member_of
from app.web.pages.account import account_page
from app.web.pages.login import login_page
from app.web.pages.render import see_other, shown
from app.web.pages.signed_in import person_here
from app.web.paths import ACCOUNT, CONNECTIONS, DEVELOPER, MACHINES, PEOPLE, REQUESTS, SECURITY
from app.web.request import context_of, raw_query

_MOST_NAMED = 5


async def account_home(request: Request) -> Response:
    person = await person_here(request)
    if person is None:
        return await login_page(request, SignInFlow(ACCOUNT))
    member = member_of(person)
    if member is None:
        left = has_parameter(raw_query(request), "left")
        if person.develops and person.operator_role is None and not left:
            return see_other(DEVELOPER)
        return account_page(
            request,
            person,
            ACCOUNT,
            "account_none.html",
            left=left,
            security_url=SECURITY,
            developer_url=DEVELOPER,
        )
    return await _overview(request, member)


async def _overview(request: Request, member: Member) -> Response:
    context = context_of(request)
    connected = await list_connections(context, member.customer_id)
    may_manage = may(member.role, "manage")
    invitations = await list_invitations(context, member.customer_id) if may_manage else ()
    found = await list_changes(context, member)
    requests = await list_waiting_requests(context, member.customer_id)
    asking = await select_applications(context.database, [each.application_id for each in requests])
    return account_page(
        request,
        member,
        ACCOUNT,
        "account_home.html",
        joined=has_parameter(raw_query(request), "joined"),
        role=ROLE_NAMES[member.role],
        count=await count_machines(context, member.customer_id),
        applications=[shown(each.application) for each in connected[:_MOST_NAMED]],
        application_count=len(connected),
        request_count=len(requests),
        asking=[shown(asking[each.application_id]) for each in requests[:_MOST_NAMED]],
        invitations=invitations[:_MOST_NAMED],
        invitation_count=len(invitations),
        may_manage=may_manage,
        since=found.since,
        changes=[_change(each, member) for each in found.changes],
        machines_url=MACHINES,
        connections_url=CONNECTIONS,
        requests_url=REQUESTS,
        people_url=PEOPLE,
    )


def _change(change: Change, member: Member) -> dict[str, Any]:
    """by, person: names; empty for RoviTracker itself, and where it is about nobody. before, after: roles, or None."""
    return {
        "at": change.at,
        "event": change.event,
        "by": change.actor or "",
        "own": change.actor_id == member.id,
        "person": change.person or "",
        "self": change.person_id == member.id,
        "application": change.application or "",
        "before": _role_name(change.detail.get("before")),
        "after": _role_name(change.detail.get("after")),
    }


def _role_name(role: str | int | None) -> Sentence | None:
    return next((name for name in ROLE_NAMES.values() if name == role), None)
