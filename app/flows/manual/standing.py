"""The rules of every step of the manual route: who acts, and whether application and request allow it."""

from uuid import UUID

from app.flows.account.add_operator import OperatorError
from app.oauth.actor import Actor
from app.refused import ToldError
from app.sentence import Sentence
from app.storage.people.access_request_changes import AskingApplication, lock_asking_application
from app.storage.people.access_requests import AccessRequest, lock_access_request
from app.storage.people.operators import select_operator_role_locked
from app.storage.postgres.database import Transaction


class AccessRequestError(ToldError):
    """A request cannot be made, judged, answered or picked up like this."""

    code = "request_conflict"
    status = 409
    title = Sentence("This request stays as it is")


async def require_reviewer(transaction: Transaction, actor: Actor) -> None:
    """Judge an operator by the role as it stands now, and keep it so until the transaction ends.

    Raises OperatorError for everybody else, and for an operator who only looks.
    """
    role = None
    if actor.kind == "operator" and actor.id is not None:
        role = await select_operator_role_locked(transaction, actor.id)
    if role not in ("reviewer", "admin"):
        raise OperatorError(
            Sentence("only a reviewer or an admin releases requests"), code="not_reviewer", status=403
        )


async def require_asking(transaction: Transaction, application_id: UUID) -> AskingApplication:
    """The application, which stays as it is until the transaction ends.

    Raises AccessRequestError when it may not meet real customers now.
    """
    application = await lock_asking_application(transaction, application_id)
    if application is None or not application.active:
        raise AccessRequestError(
            Sentence("The application is suspended or deleted, so nothing was changed."),
            code="application_not_active",
        )
    if application.test:
        raise AccessRequestError(
            Sentence(
                "An application in test mode meets its test customers alone. Real customers can be asked once RoviTracker has reviewed it."
            ),
            code="application_in_test_mode",
            status=403,
        )
    return application


async def lock_request(transaction: Transaction, request_id: UUID) -> AccessRequest:
    """The request, which stays as it is until the transaction ends. Raises AccessRequestError 404 for none."""
    found = await lock_access_request(transaction, request_id)
    if found is None:
        raise no_such_request()
    return found


def no_such_request() -> AccessRequestError:
    """The same for one that never was, and for one that is somebody else's."""
    return AccessRequestError(
        Sentence("There is no such request, or it is not yours. You may be signed in with another address."),
        code="unknown_request",
        status=404,
        title=Sentence("There is no such request for you"),
    )
