"""One connected application: what it may read, a form that narrows or widens it, and the way out."""

from typing import cast
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.prove import FieldError
from app.flows.approval.browser_flow import SignInFlow
from app.flows.approval.connections import find_connection
from app.flows.approval.terms import ConnectionChangedError, change_terms, find_terms, read_terms
from app.flows.bounds import LONGEST_REPORT
from app.oauth.errors import PageError
from app.oauth.member_role import may
from app.oauth.parameters import has_parameter
from app.oauth.scope import opened_by
from app.sentence import Sentence
from app.storage.people.access_requests import select_released_at
from app.storage.people.members import Member
from app.web.pages.account import DISCONNECT_FORM, account_page, connection_address
from app.web.pages.account_form import Fault, posted_form, sealed_form
from app.web.pages.language import language_of
from app.web.pages.login import login_page, note_refusal
from app.web.pages.reads_picture import reads_shown
from app.web.pages.render import see_other, shown
from app.web.pages.signed_in import member_here, require_member
from app.web.pages.terms_form import (
    TermsFault,
    TypedTerms,
    fault_at,
    judge_terms,
    read_terms_form,
    terms_fields,
    typed_terms,
)
from app.web.paths import CONNECTIONS, DISCONNECT, LOGIN, PEOPLE, REPORT
from app.web.request import context_of, raw_query

_UPON_ALL = "page"  # of a fault that belongs to no field
_CHANGED = Sentence(
    "The change holds everywhere within a second. The owners of the account are told by mail."
)
_REPORTED = Sentence(
    "Your report is on its way to RoviTracker. The application stays connected until you disconnect it."
)
_NOTICES = {"changed": _CHANGED, "reported": _REPORTED}
REPORT_FORM = "report application"


async def connection(request: Request) -> Response:
    application_id = application_of(request)
    member = await member_here(request)
    if member is None:
        return await login_page(request, SignInFlow(connection_address(application_id)))
    return await connection_page(request, member, application_id)


async def submit_terms(request: Request) -> Response:
    application_id = application_of(request)
    posted = await posted_form(request, _form_of(application_id), read_terms_form)
    if posted is None:
        return see_other(LOGIN)
    member, version = require_member(posted.person), int(posted.subject)
    context, typed = context_of(request), typed_terms(posted.fields)
    try:
        present, _ = await read_terms(context, member.customer_id, application_id)
        terms = await judge_terms(context, member, typed, present)
        await change_terms(
            context,
            member.actor,
            member.customer_id,
            application_id,
            terms,
            version=version,
            language=language_of(request, member).code,
        )
    except FieldError as error:
        note_refusal(request, error.code, str(error))
        return await connection_page(request, member, application_id, fault_at(error), typed, version=version)
    except ConnectionChangedError as error:
        if error.status != ConnectionChangedError.status:
            raise
        note_refusal(request, error.code, str(error))
        return await connection_page(
            request, member, application_id, TermsFault(_UPON_ALL, error.what, error.status)
        )
    return see_other(f"{connection_address(application_id)}?changed")


async def connection_page(  # as it stands, or with what was typed
    request: Request,
    member: Member,
    application_id: UUID,
    fault: TermsFault | None = None,
    typed: TypedTerms | None = None,
    *,
    version: int | None = None,
    report_fault: Fault | None = None,
    reason: str = "",
) -> Response:
    """version: of the connection that the page of a refused form showed; its next form is judged by the same.

    report_fault, reason: what is wrong with a report, and what was typed. Raises PageError when it is not connected.
    """
    context = context_of(request)
    found = await find_connection(context, member.customer_id, application_id)
    standing = await find_terms(context, member.customer_id, application_id)
    if found is None or standing is None:
        raise _no_such()
    terms, present = standing
    may_connect = may(member.role, "connect")
    seen = str(present if version is None else version)
    wrong = fault or report_fault
    return account_page(
        request,
        member,
        CONNECTIONS,
        "connection.html",
        status=wrong.status if wrong else 200,
        back_to=connection_address(application_id),
        fault=fault,
        report_fault=report_fault,
        notice=None if wrong else _notice(request),
        application=shown(found.application),
        connection=found.connection,
        by=", ".join(found.connection.member_names),
        released_at=await select_released_at(context.database, member.customer_id, application_id),
        scopes=opened_by(found.connection.scopes),
        shared=None if terms.machines is None else len(terms.machines),
        terms=terms,
        reads=await reads_shown(context, member.customer_id, application_id),
        zone=member.time_zone,
        takes_reports=context.policy.support_email is not None,
        report=(report_address(application_id), sealed_form(request, REPORT_FORM, str(application_id))),
        reason=reason,
        longest_report=LONGEST_REPORT,
        fields=await terms_fields(request, member, terms, typed),
        may_connect=may_connect,
        people_url=PEOPLE,
        connections_url=CONNECTIONS,
        change=(connection_address(application_id), sealed_form(request, _form_of(application_id), seen)),
        disconnect=(DISCONNECT, sealed_form(request, DISCONNECT_FORM, str(application_id))),
    )


def _notice(request: Request) -> Sentence | None:
    """What was done on the page before."""
    query = raw_query(request)
    return next((text for name, text in _NOTICES.items() if has_parameter(query, name)), None)


def report_address(application_id: UUID) -> str:
    return REPORT.replace("{application:uuid}", str(application_id))


def _form_of(application_id: UUID) -> str:
    """The name of the form, which another application's page does not have."""
    return f"change terms {application_id}"


def application_of(request: Request) -> UUID:
    return cast("UUID", request.path_params["application"])


def _no_such() -> PageError:
    """The same for an application that nobody registered, and for one that others use."""
    return PageError(
        Sentence("There is no such connection"),
        Sentence(
            "The application is not connected to your account, or not any more. Connected applications lists those that are."
        ),
        404,
    )
