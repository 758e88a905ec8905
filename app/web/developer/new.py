"""Register an application: one form, answered with its client_id and, once, its secret."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.flows.account.read_logo import LogoError
from app.flows.account.register_application import RegisteredApplication
from app.flows.account.rights import OwnerError
from app.flows.approval.browser_flow import SignInFlow
from app.flows.developer.own_applications import (
    NewApplication,
    find_own_application,
    register_own_application,
)
from app.oauth.redirect_uri import RedirectUriError
from app.oauth.registration import RegistrationError
from app.storage.people.people import Person
from app.web.developer.faults import fault_at, lines_of
from app.web.developer.frame import OwnerHere, address_below, application_page, owner_actor
from app.web.developer.quick_start import examples, try_url
from app.web.pages.account import account_page
from app.web.pages.account_form import Fault, Posted, posted_form, sealed_form
from app.web.pages.login import login_page
from app.web.pages.render import named, see_other
from app.web.pages.signed_in import person_here
from app.web.pages.upload import Upload, read_upload
from app.web.paths import DEVELOPER, LOGIN, NEW_APPLICATION, OWN_APPLICATION
from app.web.request import context_of

_FORM = "new application"
# kind and public, as the form's choice names them
_KINDS: dict[str, Any] = {
    "classic": ("classic", False),
    "strict": ("strict", False),
    "public": ("strict", True),
}


async def new_application(request: Request) -> Response:
    person = await person_here(request)
    if person is None:
        return await login_page(request, SignInFlow(NEW_APPLICATION))
    return _form_page(request, person)


async def submit_new(request: Request) -> Response:
    upload = await read_upload(request)

    async def fields(_: Request) -> Any:
        return upload.fields

    posted = await posted_form(request, _FORM, fields)
    if posted is None:
        return see_other(LOGIN)
    person, context = posted.person, context_of(request)
    try:
        registered = await register_own_application(
            context, owner_actor(person), person, _typed(posted, upload)
        )
    except (RegistrationError, RedirectUriError, LogoError, OwnerError) as refused:
        return _form_page(request, person, fault_at(request, _FORM, refused), posted)
    return await _registered_page(request, person, registered)


def _typed(posted: Posted, upload: Upload) -> NewApplication:
    kind, public = _KINDS.get(posted.field("kind"), _KINDS["classic"])
    return NewApplication(
        name=posted.field("name"),
        company=posted.field("company"),
        redirect_uris=lines_of(posted.field("addresses")),
        logo=upload.files.get("logo"),
        kind=kind,
        public=public,
    )


def _form_page(
    request: Request, person: Person, fault: Fault | None = None, posted: Posted | None = None
) -> Response:
    typed = {name: posted.field(name) if posted else "" for name in ("name", "company", "addresses", "kind")}
    return account_page(
        request,
        person,
        DEVELOPER,
        "developer/new.html",
        status=fault.status if fault else 200,
        back_to=NEW_APPLICATION,
        action=NEW_APPLICATION,
        hidden=sealed_form(request, _FORM),
        fault=fault,
        scripted=True,
        script="preview.js",
        previewed=named(typed["name"], typed["company"], None),
        typed={**typed, "kind": typed["kind"] if typed["kind"] in _KINDS else "classic"},
    )


async def _registered_page(request: Request, person: Person, registered: RegisteredApplication) -> Response:
    """The secret is on this page alone."""
    application = await find_own_application(context_of(request), person, registered.client.id)
    owner = OwnerHere(person, application)
    return application_page(
        request,
        owner,
        OWN_APPLICATION,
        "developer/registered.html",
        status=201,
        secret=registered.client_secret,
        examples=examples(context_of(request).policy.issuer, application.client),
        try_url=try_url(request, application.client),
        quick_start_url=address_below(OWN_APPLICATION, application.client.id),
    )
