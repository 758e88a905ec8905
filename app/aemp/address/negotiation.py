"""Content negotiation chooses a representation by Accept and Accept-Encoding (RFC 9110 section 12)."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Literal

from app.aemp.model.bounds import MOST_PARTS
from app.aemp.model.errors import AempError
from app.weighted import Member, has_parts, read_members


class Representation(StrEnum):
    """A representation that we can send; the value is its content type. The order is our preference among equals."""

    XML = "application/xml; charset=utf-8"
    TEXT_XML = "text/xml; charset=utf-8"
    # The namespace of the 2020 edition, for the readers that insist on it; only on request.
    XML_20190501 = "application/xml; charset=utf-8; version=20190501"
    # It stands before plain JSON, because it holds all of it: a client that names the vendor's type reads its spellings.
    SNAPSHOT_JSON = "application/iso15143-snapshot+json"
    JSON = "application/json"

    @property
    def is_json(self) -> bool:
        return self in (Representation.JSON, Representation.SNAPSHOT_JSON)


_AEMP_1_2_OFFER = (Representation.XML, Representation.TEXT_XML)
_ISO_15143_OFFER = tuple(Representation)

Coding = Literal["zstd", "gzip"]

_EDITION = "20190501"
_TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_RANGE = re.compile(f"({_TOKEN})/({_TOKEN})")
_CODING = re.compile(_TOKEN)


def negotiate(accept: str) -> Representation:
    """The representation of ISO 15143-3 to send; `accept` is the whole header, empty when it is absent.

    The most specific range that names a representation gives its weight. Equals go to the one that was named
    more exactly, so that `application/json, */*` means JSON, and then to our own order, XML first.
    A header without one readable member counts as absent.
    Raises AempError 406 when nothing is acceptable, 431 when the list is too long.
    """
    chosen = _most_wanted(accept, _ISO_15143_OFFER)
    if chosen is None:
        raise AempError(406, "not_acceptable", f"This address serves {_names(_ISO_15143_OFFER)}.")
    return chosen


def negotiate_aemp_1_2(accept: str) -> Representation:
    """AEMP 1.2 has no other form than XML, so whoever asks for another gets that: its readers send any header.

    Raises AempError 431 when the list is too long.
    """
    return _most_wanted(accept, _AEMP_1_2_OFFER) or Representation.XML


def _most_wanted(accept: str, offer: tuple[Representation, ...]) -> Representation | None:
    """The representation of the highest weight; None when all are refused."""
    ranges = [m for m in _members(accept) if _MEDIA_RANGE.fullmatch(m.name)] or [Member("*/*", 1.0)]
    judged = [(*_judge(representation, ranges), representation) for representation in offer]
    weight, _, chosen = max(judged, key=lambda entry: entry[:2])
    return chosen if weight else None


def choose_coding(accept_encoding: str) -> Coding | None:
    """Choose the coding of ours with the highest weight, if that is not below identity's.

    `*` means gzip: a client that takes anything was written when there was nothing else.
    Raises AempError 431 when the list is too long.
    """
    weights = {m.name: m.weight for m in _members(accept_encoding) if _CODING.fullmatch(m.name)}
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    # Among equals max() takes the first, which is smaller and cheaper.
    judged: dict[Coding, float] = {"zstd": weights.get("zstd", 0.0), "gzip": gzip}
    chosen = max(judged, key=judged.__getitem__)
    return chosen if judged[chosen] > 0 and judged[chosen] >= weights.get("identity", 0.0) else None


def check_list(header: str) -> None:
    """Raises AempError 431 when a header field has more members and parameters than any client needs."""
    if has_parts(header, MOST_PARTS):
        raise AempError(
            431,
            "request_header_fields_too_large",
            f"A header field is a list of more than {MOST_PARTS} parts.",
        )


def _judge(representation: Representation, ranges: list[Member]) -> tuple[float, int]:
    """The weight of a representation and how exactly it was named: 0 by `*/*` to 3 by type and version."""
    named = [(_exactness(representation, member), member.weight) for member in ranges]
    exactness, weight = max(named)
    return (weight, exactness) if exactness >= 0 else (0.0, exactness)


def _exactness(representation: Representation, member: Member) -> int:
    media_type = representation.value.partition(";")[0]
    asks_edition = member.name.endswith("/xml") and member.parameters.get("version") == _EDITION
    if asks_edition or representation is Representation.XML_20190501:
        return 3 if asks_edition and representation is Representation.XML_20190501 else -1
    names = ("*/*", f"{media_type.partition('/')[0]}/*", media_type)
    return names.index(member.name) if member.name in names else -1


def _members(header: str) -> Iterator[Member]:
    check_list(header)
    return read_members(header)


def _names(offer: tuple[Representation, ...]) -> str:
    media_types = dict.fromkeys(representation.value.partition(";")[0] for representation in offer)
    return ", ".join(media_types)
