"""What an application is called, where it returns to and what it asks for: its owners change it here."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.prove import FieldError
from app.flows.account.read_logo import LogoError
from app.flows.account.rights import OwnerError
from app.flows.developer.change_own import Wanted, change_own_application
from app.flows.developer.proposing import ReviewError
from app.flows.developer.ready import NotReadyError
from app.flows.developer.standing import Standing, read_standing
from app.oauth.description import Description
from app.oauth.parameters import parse_query
from app.oauth.redirect_uri import RedirectUriError
from app.oauth.registration import RegistrationError
from app.oauth.scope import offered_scopes, opened_by
from app.sentence import Sentence
from app.web.developer.faults import fault_at, lines_of
from app.web.developer.frame import OwnerHere, address_below, application_page, owner_here
from app.web.pages.account_form import Fault, Posted, posted_form, sealed_form
from app.web.pages.described import compared
from app.web.pages.render import named, see_other
from app.web.pages.upload import Upload, read_upload
from app.web.paths import LOGIN, OWN_SETTINGS, WITHDRAW_PROPOSAL
from app.web.request import context_of, raw_query

_FORM = "application settings"
WITHDRAW_FORM = "withdraw proposal"
_DONE = {
    "saved": Sentence("The settings were saved."),
    "proposed": Sentence("Your changes wait for a reviewer. What is live stays until then."),
}


async def settings(request: Request) -> Response:
    owner = await owner_here(request, OWN_SETTINGS)
    return owner if isinstance(owner, Response) else await _page(request, owner)


async def submit_settings(request: Request) -> Response:
    upload = await read_upload(request)

    async def fields(_: Request) -> Mapping[str, str]:
        return upload.fields

    owner = await owner_here(request, OWN_SETTINGS)
    posted = await posted_form(request, _FORM, fields)
    if isinstance(owner, Response) or posted is None:
        return see_other(LOGIN)
    context, application_id = context_of(request), owner.application.client.id
    wanted = _wanted(posted, upload)
    try:
        outcome = await change_own_application(
            context, owner.actor, application_id, wanted, seen=seen_for(posted, application_id)
        )
    except (
        RegistrationError,
        RedirectUriError,
        LogoError,
        FieldError,
        NotReadyError,
        OwnerError,
        ReviewError,
    ) as refused:
        return await _page(request, owner, fault_at(request, _FORM, refused), wanted)
    return see_other(f"{address_below(OWN_SETTINGS, application_id)}?done={outcome}")


def subject_of(standing: Standing) -> str:
    """What a form is about: the application, and what stood there when it was shown."""
    return f"{standing.application.client.id} {standing.seen}"


def seen_for(posted: Posted, application_id: UUID) -> str:
    """What stood there when the form was shown; nothing that ever stood there, when it was of another application."""
    meant, _, seen = posted.subject.partition(" ")
    return seen if meant == str(application_id) else ""


def chosen_person(text: str) -> UUID | None:
    """None for what is no id."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _wanted(posted: Posted, upload: Upload) -> Wanted:
    return Wanted(
        name=posted.field("name"),
        company=posted.field("company"),
        redirect_uris=lines_of(posted.field("addresses")),
        terms_uri=posted.field("terms_uri"),
        privacy_uri=posted.field("privacy_uri"),
        scope={
            name: posted.field(f"reason {name}")
            for name in offered_scopes()
            if f"scope {name}" in posted.fields
        },
        contact_id=chosen_person(posted.field("contact")),
        logo=upload.files.get("logo"),
        message=posted.field("message"),
    )


async def _page(
    request: Request, owner: OwnerHere, fault: Fault | None = None, typed: Wanted | None = None
) -> Response:
    """typed: what was refused, which stays in the form."""
    standing = await read_standing(context_of(request), owner.application.client.id)
    application, review, shown = standing.application, standing.review, typed or _present(standing)
    conflict = typed if fault and fault.status == ReviewError.status else None
    done = parse_query(raw_query(request)).values.get("done", "") if fault is None else ""
    return application_page(
        request,
        owner,
        OWN_SETTINGS,
        "developer/settings.html",
        status=fault.status if fault else 200,
        action=address_below(OWN_SETTINGS, application.client.id),
        hidden=sealed_form(request, _FORM, subject_of(standing)),
        fault=fault,
        notice=_DONE.get(done),
        scripted=True,
        script="preview.js",
        previewed=named(shown.name, shown.company, standing.wanted.logo_digest),
        test=application.client.test,
        now=compared(standing.wanted, _typed_description(standing, conflict)) if conflict else None,
        waiting=compared(application.description, review.proposed)
        if review and not application.client.test
        else None,
        withdraw_action=address_below(WITHDRAW_PROPOSAL, application.client.id),
        withdraw_hidden=sealed_form(request, WITHDRAW_FORM),
        owners=[each for each in standing.owners if each.confirmed],
        typed=_fields(shown),
        scopes=_scopes(shown, standing),
    )


def _scopes(shown: Wanted, standing: Standing) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "say": opened_by([name])[0],
            "ticked": name in shown.scope,
            "reason": shown.scope.get(name, standing.scope_reasons.get(name, "")),
        }
        for name in offered_scopes()
    ]


def _present(standing: Standing) -> Wanted:
    wanted, contact = standing.wanted, standing.contact
    return Wanted(
        wanted.name,
        wanted.company,
        wanted.redirect_uris,
        wanted.terms_uri or "",
        wanted.privacy_uri or "",
        {name: standing.scope_reasons.get(name, "") for name in wanted.scope},
        contact.person_id if contact else None,
        message=standing.review.message if standing.review else "",
    )


def _fields(shown: Wanted) -> dict[str, Any]:
    return {
        "name": shown.name,
        "company": shown.company,
        "addresses": "\n".join(shown.redirect_uris),
        "terms_uri": shown.terms_uri,
        "privacy_uri": shown.privacy_uri,
        "contact": shown.contact_id,
        "message": shown.message,
    }


def _typed_description(standing: Standing, typed: Wanted) -> Description:
    """What was typed, as far as it can be compared before anybody judged it."""
    return Description(
        typed.name,
        typed.company,
        standing.wanted.logo_digest,
        typed.redirect_uris,
        tuple(sorted(typed.scope)),
        typed.terms_uri or None,
        typed.privacy_uri or None,
    )
