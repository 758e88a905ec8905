"""Authenticate: which application calls, proved; and whose failure it is when it cannot prove itself."""

from contextlib import suppress
from uuid import UUID

from app.context import Context
from app.flows.token.use_assertion import use_assertion
from app.flows.token.use_former_secret import guesser_of, use_former_secret
from app.oauth.client import Client, application_id_of, authenticate, proved_by
from app.oauth.errors import OAuthError, too_many_failures
from app.oauth.request import Credentials
from app.storage.people.applications import Application
from app.throttling.look_up import look_up

_NOBODY = UUID(int=0)  # no application's id


async def authenticate_client(context: Context, credentials: Credentials, address: str) -> Client:
    """The application that proved itself; unknown, wrong and used before end alike, and after the same work.

    Only who failed is limited, after the comparison: the right secret is never refused.
    Raises invalid_client when the caller did not prove itself, and OAuthError 429 when it failed too often.
    """
    client_id = application_id_of(credentials.client_id) if credentials.client_id else None
    remembered = context.gathered.applications.recall(client_id) if client_id else None
    application = remembered
    if remembered is None:
        _verify_for_nobody(context, credentials)
        application = await _look_up_application(context, client_id, address)
    found = application.client if application is not None else None
    if found is not None and found.former_client_id is not None:
        found = _called(application, credentials.client_id)
    try:
        if credentials.former_secret is not None:
            found, credentials = await use_former_secret(context, found, credentials, address)
        now = context.now()
        client = authenticate(found, credentials, now, issuer=context.policy.issuer)
        if credentials.assertion is not None:
            await use_assertion(context, client, credentials.assertion)
    except OAuthError as error:
        if remembered is not None:
            # For an unknown one the store was asked, and that was counted. Else time would tell them apart (O-45).
            await _look_up_application(context, _NOBODY, address)
            _verify_for_nobody(context, credentials)
        guesser = guesser_of(client_id, address)
        context.failures.note(guesser)
        if context.failures.over(guesser):
            raise too_many_failures(str(error)) from error
        raise
    digest = proved_by(client, credentials)
    if digest is not None:
        context.credential_uses.note((client.id, digest), now)
    return client


def _verify_for_nobody(context: Context, credentials: Credentials) -> None:
    """Verify a signature as that of no application: it takes another time before the store is asked than after it.

    So a wrong one is verified on both sides, whether the application is known or not.
    """
    if credentials.assertion is not None:
        with suppress(OAuthError):
            authenticate(None, credentials, context.now(), issuer=context.policy.issuer)


def _called(application: Application | None, client_id: str | None) -> Client | None:
    if application is None or client_id is None or not application.client.is_called(client_id):
        return None
    return application.client


def asker_of(client: Client, credentials: Credentials, address: str) -> str:
    """Who fails when there is no such code or token: a client_id that proves nothing is anybody's at that address."""
    # What was sent is the same as the application's id, which takes its time to be spelt.
    return f"public applications from {address}" if client.public else f"caller {credentials.client_id}"


def stranger_of(client: Client, address: str) -> str | None:
    """Who fails when a code or token was made up: a public client_id proves nothing, so it is anybody's there.

    None for an application that proved itself. It hands on what browsers bring, and nobody's browser may slow it.
    """
    return f"public applications from {address}" if client.public else None


async def read_application(
    context: Context, unverified_client_id: str | None, address: str
) -> Application | None:
    application = await _look_up_application(context, _read_client_id(unverified_client_id), address)
    return application if _called(application, unverified_client_id) else None


async def _look_up_application(context: Context, client_id: UUID | None, address: str) -> Application | None:
    """Its failures are counted apart from those of tokens: a wrong secret must not slow its neighbours' API requests."""
    if client_id is None:
        return None
    return await look_up(
        context.failures, context.gathered.applications, client_id, f"applications from {address}"
    )


def _read_client_id(unverified: str | None) -> UUID | None:
    return application_id_of(unverified) if unverified else None
