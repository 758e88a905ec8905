"""What a reviewer should look at twice: names and pictures like another's, and hosts that are new."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from app.context import Context
from app.flows.developer.likeness import holds, looks_like, mixes_alphabets, pictures_alike, skeleton
from app.flows.developer.standing import Standing
from app.oauth.description import Description, hosts_of
from app.sentence import Sentence
from app.storage.people.application_reviews import Review
from app.storage.people.descriptions import Compared, select_compared
from app.storage.people.logos import select_likeness

OWN_NAME = "RoviTracker"
_MOST_COMPARED = 20_000
_MOST_MARKS = 20  # of one kind; the first ones tell enough


async def marks_of(context: Context, standing: Standing, review: Review) -> tuple[Sentence, ...]:
    """Each in words for the reviewer. Applications of the same owners are not compared."""
    others = await select_compared(context.database, standing.application.client.id, _MOST_COMPARED)
    logo = review.proposed.logo_digest
    likeness = await select_likeness(context.database, logo) if logo is not None else None
    # Thousands of names take a while when they are read for the first time.
    alike = await asyncio.to_thread(_likenesses, review.proposed, likeness, others)
    return (*alike, *_new_hosts(standing.application.description, review))


def _likenesses(
    proposed: Description, likeness: int | None, others: Sequence[Compared]
) -> tuple[Sentence, ...]:
    """likeness: of the proposed logo."""
    names = {name: skeleton(name) for name in dict.fromkeys((proposed.name, proposed.company))}
    own = [
        Sentence("%(name)s looks like %(own)s.", name=name, own=OWN_NAME)
        for name, bones in names.items()
        if holds(bones, skeleton(OWN_NAME))
    ]
    mixed = [
        Sentence("%(name)s mixes letters of several alphabets.", name=name)
        for name in names
        if mixes_alphabets(name)
    ]
    alike = islice(_names_alike(names, others), _MOST_MARKS)
    pictured = islice(_pictures_alike(proposed.logo_digest, likeness, others), _MOST_MARKS)
    return (*own, *mixed, *alike, *pictured)


def _names_alike(names: Mapping[str, str], others: Iterable[Compared]) -> Iterator[Sentence]:
    """names: with their skeletons."""
    for other in others:
        named = {"other": other.name, "company": other.company}
        theirs = (skeleton(other.name), skeleton(other.company))
        for name, bones in names.items():
            if any(looks_like(bones, each) for each in theirs):
                yield Sentence("%(name)s looks like %(other)s of %(company)s.", name=name, **named)


def _pictures_alike(
    logo: bytes | None, likeness: int | None, others: Iterable[Compared]
) -> Iterator[Sentence]:
    for other in others:
        named = {"other": other.name, "company": other.company}
        if logo is not None and logo == other.logo:
            yield Sentence("The logo is that of %(other)s of %(company)s.", **named)
        elif pictures_alike(likeness, other.likeness):
            yield Sentence("The logo looks like that of %(other)s of %(company)s.", **named)


def _new_hosts(live: Description, review: Review) -> list[Sentence]:
    """Every host is new to customers while the application is in test mode."""
    known = set() if review.goes_live else set(hosts_of(live.redirect_uris))
    found = []
    for host in hosts_of(review.proposed.redirect_uris):
        if host not in known:
            found.append(Sentence("The answers may go to %(host)s, which is new.", host=host))
        if holds(skeleton(host.partition(":")[0]), skeleton(OWN_NAME)):
            found.append(Sentence("%(name)s looks like %(own)s.", name=host, own=OWN_NAME))
    return found
