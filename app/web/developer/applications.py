"""The applications of whoever is signed in."""

from starlette.requests import Request
from starlette.responses import Response

from app.flows.approval.browser_flow import SignInFlow
from app.flows.developer.own_applications import list_own_applications
from app.oauth.parameters import has_parameter
from app.sentence import Sentence
from app.storage.people.access_requests import count_pick_ups
from app.storage.people.application_reviews import select_waiting
from app.storage.token.refused_requests import count_refusals_today
from app.web.developer.frame import STATES, address_below, state_of
from app.web.pages.account import account_page
from app.web.pages.login import login_page
from app.web.pages.render import see_other, shown
from app.web.pages.signed_in import person_here
from app.web.paths import DEVELOPER, NEW_APPLICATION, OWN_APPLICATION, OWN_CONNECTIONS, REFUSED_REQUESTS
from app.web.request import context_of, raw_query

_DELETED = Sentence("The application was deleted. Its tokens work no more.")


async def applications(request: Request) -> Response:
    person = await person_here(request)
    if person is None:
        return await login_page(request, SignInFlow(DEVELOPER))
    owned = await list_own_applications(context_of(request), person)
    deleted = has_parameter(raw_query(request), "deleted")
    if not owned and not deleted:
        return see_other(NEW_APPLICATION)
    refusals = await count_refusals_today(context_of(request).database, [each.client.id for each in owned])
    waiting = await select_waiting(context_of(request).database, [each.client.id for each in owned])
    pick_ups = await count_pick_ups(context_of(request).database, [each.client.id for each in owned])
    return account_page(
        request,
        person,
        DEVELOPER,
        "developer/applications.html",
        applications=[
            {
                **shown(each),
                "url": address_below(OWN_APPLICATION, each.client.id),
                "state": STATES[state_of(each, waiting=each.client.id in waiting)],
                "since": each.created_at,
                "refused": refusals.get(each.client.id, 0),
                "refused_url": address_below(REFUSED_REQUESTS, each.client.id),
                "pick_ups": pick_ups.get(each.client.id, 0),
                "connections_url": address_below(OWN_CONNECTIONS, each.client.id),
            }
            for each in owned
        ],
        new_url=NEW_APPLICATION,
        notice=_DELETED if deleted else None,
    )
