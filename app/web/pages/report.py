"""The form by which a customer reports an application to the operators; it stands on the connection's page."""

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.prove import FieldError
from app.flows.approval.report import ReportError, report_application
from app.oauth.errors import PageError
from app.sentence import Sentence
from app.web.pages.account import connection_address
from app.web.pages.account_form import posted_form, refused_at
from app.web.pages.connection import REPORT_FORM, application_of, connection_page
from app.web.pages.render import see_other
from app.web.pages.signed_in import require_member
from app.web.paths import LOGIN
from app.web.request import context_of


async def submit_report(request: Request) -> Response:
    application_id = application_of(request)
    posted = await posted_form(request, REPORT_FORM)
    if posted is None:
        return see_other(LOGIN)
    member, context = require_member(posted.person), context_of(request)
    if posted.subject != str(application_id):
        raise PageError(
            Sentence("This form belongs to another application"),
            Sentence("Nothing was sent. Open the application's page, and report it there."),
        )
    reason = posted.field("reason")
    try:
        await report_application(context, member.actor, member.customer_id, application_id, reason)
    except (FieldError, ReportError) as error:
        fault = refused_at(request, REPORT_FORM, "reason", error)
        return await connection_page(request, member, application_id, report_fault=fault, reason=reason)
    return see_other(f"{connection_address(application_id)}?reported")
