"""The page for somebody who was asked to connect an application, and whose role does not include that."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.change_member import list_members
from app.flows.account.rights import RoleError
from app.flows.approval.browser_flow import ConsentFlow, seal_flow
from app.oauth.member_role import ROLE_NAMES, may, roles_with
from app.sentence import Sentence
from app.storage.people.applications import Application
from app.storage.people.members import Member
from app.web.pages.login import logout_hidden, note_refusal
from app.web.pages.render import page, shown
from app.web.paths import CONSENT, LOGOUT
from app.web.request import context_of


async def role_page(  # each is a part of what is asked, or of who sees it
    request: Request, application: Application, flow: ConsentFlow, member: Member, *, then: str, browser: str
) -> Response:
    """Who can connect it instead, and a way to deny.

    then: where the browser goes to use another account. browser: the mark that the decision is bound to.
    """
    context = context_of(request)
    lacking = RoleError("connect")
    note_refusal(request, lacking.code, str(lacking))
    others = [each for each in await list_members(context, member.customer_id) if may(each.role, "connect")]
    others.sort(key=lambda each: roles_with("connect").index(each.role))
    return page(
        request,
        "consent_role.html",
        status=lacking.status,
        signed_in=member,
        to_application=True,
        back_to=then,
        action=CONSENT,
        hidden=[("flow", seal_flow(context, flow, browser=browser))],
        application={**shown(application), "redirect_host": redirect_host(flow.redirect_uri)},
        customer={"name": member.name, "email": member.email, "account": member.customer_name},
        others=others,
        role_names=ROLE_NAMES,
        switch_action=LOGOUT,
        switch_hidden=logout_hidden(request, then),
    )


def redirect_host(uri: str) -> str:
    """Where the browser goes next, as a person reads it."""
    parts = urlsplit(uri)
    return parts.netloc or Sentence("the app %(scheme)s", scheme=parts.scheme)
