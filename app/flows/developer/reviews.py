"""The reviews that wait, each with what is live beside it."""

from dataclasses import dataclass
from uuid import UUID

from app.context import Context
from app.flows.developer.marks import marks_of
from app.flows.developer.proposing import ReviewError
from app.flows.developer.standing import Standing, read_standing
from app.sentence import Sentence
from app.storage.people.application_reviews import Review, select_open_reviews, select_review
from app.storage.people.applications import Application, select_applications

MOST_REVIEWS = 100


@dataclass(frozen=True, slots=True)
class WaitingReview:
    """A proposal that waits, and the application as it is now."""

    review: Review
    application: Application

    @property
    def changed(self) -> tuple[str, ...]:
        return self.application.description.differs_in(self.review.proposed)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A proposal with what a reviewer decides by. waits: whether there is anything to decide.

    marks: what to look at twice.
    """

    review: Review
    standing: Standing
    marks: tuple[Sentence, ...]

    @property
    def waits(self) -> bool:
        return self.review.decision is None


async def list_reviews(context: Context) -> tuple[WaitingReview, ...]:
    """The first hundred, those that wait longest first."""
    reviews = await select_open_reviews(context.database, MOST_REVIEWS)
    applications = await select_applications(context.database, [each.application_id for each in reviews])
    return tuple(WaitingReview(each, applications[each.application_id]) for each in reviews)


async def find_review(context: Context, review_id: UUID) -> Reviewed:
    """Also one that was decided. Raises ReviewError 404 when there is none."""
    review = await select_review(context.database, review_id)
    if review is None:
        raise ReviewError(Sentence("There is no such review."), code="unknown_review", status=404)
    standing = await read_standing(context, review.application_id)
    # What waits is read with the standing, so that what is shown is what `seen` stands for.
    if review.decision is None and standing.review is not None:
        review = standing.review
    return Reviewed(review, standing, await marks_of(context, standing, review))
