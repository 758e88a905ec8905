"""The operators' page on operators: who they are, and what an admin changes about them."""

from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.add_customer import CustomerError, PersonError
from app.flows.account.add_operator import OperatorError
from app.flows.account.change_operator import disable_operator, enable_operator, set_operator_role
from app.oauth.errors import PageError
from app.oauth.parameters import parse_query
from app.sentence import Sentence
from app.storage.people.operators import Operator, select_operators
from app.storage.people.people import OperatorRole, Person
from app.web.pages.account import account_page
from app.web.pages.account_form import posted_form, sealed_form
from app.web.pages.login import note_refusal
from app.web.pages.operator_here import operator_here
from app.web.pages.render import see_other
from app.web.paths import LOGIN, STAFF, STAFF_ROLE, STAFF_SWITCH
from app.web.request import context_of, raw_query

_ROLE, _SWITCH = "operator role", "switch operator"
_ROLES = {"support": Sentence("Support"), "reviewer": Sentence("Reviewer"), "admin": Sentence("Admin")}
_DONE = {
    "role": Sentence("The role was set. The person has to sign in anew."),
    "disabled": Sentence("The operator was disabled and signed out."),
    "enabled": Sentence("The operator has the former role back."),
}


async def staff(request: Request) -> Response:
    person = await operator_here(request, STAFF)
    return person if isinstance(person, Response) else await _staff_page(request, person)


async def submit_role(request: Request) -> Response:
    person = await operator_here(request, STAFF, lately=True)
    if isinstance(person, Response):
        return person
    posted = await posted_form(request, _ROLE)
    if posted is None:
        return see_other(LOGIN)
    email, role = posted.subject or posted.field("email"), posted.field("role")
    if role not in _ROLES:
        raise PageError(Sentence("There is no such role"), Sentence("Choose one of the roles of the page."))
    try:
        await set_operator_role(context_of(request), posted.actor, email, cast("OperatorRole", role))
    except (OperatorError, CustomerError, PersonError) as refused:
        return await _refused_page(request, person, refused, email)
    return see_other(f"{STAFF}?done=role")


async def submit_switch(request: Request) -> Response:
    """Whether the form disables or enables is sealed in it, with the operator."""
    person = await operator_here(request, STAFF, lately=True)
    if isinstance(person, Response):
        return person
    posted = await posted_form(request, _SWITCH)
    if posted is None:
        return see_other(LOGIN)
    disable, email = posted.subject.partition(" ")[::2]
    switch = disable_operator if disable == "disable" else enable_operator
    try:
        await switch(context_of(request), posted.actor, email)
    except (OperatorError, CustomerError) as refused:
        return await _refused_page(request, person, refused, "")
    return see_other(f"{STAFF}?done={disable}d")


async def _refused_page(
    request: Request, person: Person, refused: OperatorError | CustomerError | PersonError, email: str
) -> Response:
    note_refusal(request, refused.code, str(refused))
    return await _staff_page(request, person, error=refused.what, email=email, status=refused.status)


async def _staff_page(
    request: Request, person: Person, *, error: str | None = None, email: str = "", status: int = 200
) -> Response:
    operators = await select_operators(context_of(request).database)
    return account_page(
        request,
        person,
        STAFF,
        "staff.html",
        status=status,
        error=error,
        email=email,
        notice=_DONE.get(parse_query(raw_query(request)).values.get("done", "")),
        roles=_ROLES,
        changes=person.operator_role == "admin",
        add=(STAFF_ROLE, sealed_form(request, _ROLE)),
        operators=[_shown(request, each, person) for each in operators],
    )


def _shown(request: Request, operator: Operator, person: Person) -> dict[str, Any]:
    switch = "enable" if operator.disabled_at else "disable"
    return {
        "name": operator.name,
        "email": operator.email,
        "role": operator.role,
        "role_name": _ROLES[operator.role],
        "here": operator.person_id == person.id,
        "disabled": operator.disabled_at is not None,
        "second_factor": operator.second_factor,
        "since": operator.created_at,
        "set_role": (STAFF_ROLE, sealed_form(request, _ROLE, operator.email)),
        "switch": (STAFF_SWITCH, sealed_form(request, _SWITCH, f"{switch} {operator.email}")),
    }
