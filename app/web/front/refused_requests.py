"""What an application was refused, noted for its owners once the answer has left."""

from contextlib import suppress
from uuid import UUID

from starlette.types import Scope

from app.aemp.model.text import clean
from app.context import Context
from app.oauth.client import application_id_of
from app.oauth.parameters import parse_query
from app.oauth.token_string import LegacyToken, TokenString, new_id
from app.process.refused_requests import RefusedRequest
from app.refused import RefusedError
from app.storage.token.tokens import StoredToken
from app.web.paths import AUTHORIZE, CONSENT
from app.web.table import error_form, without_secret

_LONGEST_DETAIL = 2_000


def note_refused_request(context: Context, scope: Scope, status: int) -> None:
    """Pages that no application leads to are left out: the fault is a person's, and nobody else's to see.

    PostgreSQL stores no NUL, and one address with it would take all others of the round along.
    """
    path = scope["path"]
    if error_form(path) == "page" and path not in (AUTHORIZE, CONSENT):
        return
    refused, presented = scope["refused"], scope.get("token")
    application_id = _application_id(scope, presented)
    token = presented if isinstance(presented, TokenString) else None
    if not context.refused_requests.admit(application_id, token):
        return
    context.refused_requests.note(
        RefusedRequest(
            id=new_id(),
            at=context.now(),
            reference=scope["request_id"],
            application_id=application_id,
            token=token,
            path=clean(without_secret(path)),
            status=status,
            error=refused["error"] or "unauthorized",
            detail=clean(str(refused["detail"])[:_LONGEST_DETAIL]),
        )
    )


def _application_id(scope: Scope, token: StoredToken | TokenString | LegacyToken | None) -> UUID | None:
    if isinstance(token, StoredToken):
        return token.application_id
    asking: UUID | None = scope.get("asking")
    if asking is not None:
        return asking
    claimed = scope["refused"].get("client_id")
    if claimed is None and scope["path"] == AUTHORIZE:
        with suppress(RefusedError):  # a query too long to be read names nobody
            claimed = parse_query(scope["query_string"]).values.get("client_id")
    return application_id_of(claimed) if claimed else None
