"""An application as its owners and reviewers find it: what is live, what waits, and who answers for it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import orjson

from app.context import Context
from app.flows.account.change_application import ApplicationError
from app.oauth.description import Description
from app.sentence import Sentence
from app.storage.people.application_owners import ApplicationOwner, select_application_owners
from app.storage.people.application_reviews import (
    Review,
    select_open_review,
    select_open_review_locked,
)
from app.storage.people.applications import Application, select_application_locked, select_applications
from app.storage.people.descriptions import select_scope_reasons
from app.storage.postgres.database import Transaction


@dataclass(frozen=True, slots=True)
class Standing:
    """review: the proposal that waits, if one does."""

    application: Application
    review: Review | None
    owners: tuple[ApplicationOwner, ...]
    scope_reasons: Mapping[str, str]

    @property
    def contact(self) -> ApplicationOwner | None:
        return next((each for each in self.owners if each.contact), None)

    @property
    def wanted(self) -> Description:
        """What its owners want customers to see: the proposal, where a live application has one."""
        if self.review is not None and not self.application.client.test:
            return self.review.proposed
        return self.application.description

    @property
    def seen(self) -> str:
        """It differs with all that somebody may have changed since a page was shown."""
        application, review = self.application, self.review
        told = [
            application.description,
            application.client.status,
            application.client.test,
            self.scope_reasons,
            str(self.contact.person_id) if self.contact else None,
            (str(review.id), review.version) if review else None,
        ]
        return hashlib.sha256(orjson.dumps(told, default=_plain, option=orjson.OPT_SORT_KEYS)).hexdigest()[
            :32
        ]


async def read_standing(context: Context, application_id: UUID) -> Standing:
    """Raises ApplicationError when there is none."""
    found = await select_applications(context.database, [application_id])
    if application_id not in found:
        raise unknown_application()
    return Standing(
        found[application_id],
        await select_open_review(context.database, application_id),
        await select_application_owners(context.database, application_id),
        await select_scope_reasons(context.database, application_id),
    )


async def lock_standing(transaction: Transaction, application_id: UUID) -> Standing:
    """It stays as it is until the transaction ends. Raises ApplicationError when there is none, or it is deleted."""
    application = await select_application_locked(transaction, application_id)
    if application is None or application.client.status == "deleted":
        raise unknown_application()
    return Standing(
        application,
        await select_open_review_locked(transaction, application_id),
        await select_application_owners(transaction, application_id),
        await select_scope_reasons(transaction, application_id),
    )


def unknown_application() -> ApplicationError:
    return ApplicationError(Sentence("There is no such application."), code="unknown_application", status=404)


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(type(value))
