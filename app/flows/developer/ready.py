"""What an application needs before it is handed in for review."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.flows.developer.standing import Standing
from app.oauth.description import Description, live_addresses
from app.refused import ToldError
from app.sentence import Sentence


class NotReadyError(ToldError):
    """Something that a review needs is missing."""

    code = "not_ready"
    status = 422


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the checklist. needed: whether it cannot be handed in without."""

    say: Sentence
    met: bool
    needed: bool = True


def checklist(standing: Standing) -> tuple[Point, ...]:
    """Every line, met or not, for what its owners want customers to see."""
    contact = Point(
        Sentence("An owner with a confirmed e-mail address, who answers our questions"),
        any(each.confirmed for each in standing.owners),
    )
    return (*_points(standing.wanted, public=standing.application.client.public), contact)


def require_ready(proposed: Description, *, public: bool) -> None:
    """Raises NotReadyError, which names the first line that is not met."""
    for point in _points(proposed, public=public):
        if point.needed and not point.met:
            raise NotReadyError(Sentence("This is missing: %(what)s", what=point.say))


def _points(wanted: Description, *, public: bool) -> Iterator[Point]:
    yield Point(
        Sentence("A redirect address that customers' browsers can return to, with https"),
        bool(live_addresses(wanted.redirect_uris, public=public)),
    )
    yield Point(Sentence("A logo"), wanted.logo_digest is not None)
    yield Point(
        Sentence("A link to what you do with customers' data (privacy notice)"),
        wanted.privacy_uri is not None,
    )
    yield Point(Sentence("A link to your terms"), wanted.terms_uri is not None, needed=False)
