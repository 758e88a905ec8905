"""What a mail about several things is about: ids, each by a name with a number."""

from collections.abc import Iterable, Mapping
from uuid import UUID

MOST_NAMED = 100  # in one mail


def numbered(name: str, ids: Iterable[UUID]) -> dict[str, UUID]:
    """The ids by `name 0`, `name 1` and so on."""
    return {f"{name} {number}": each for number, each in enumerate(ids)}


def read_numbered(about: Mapping[str, UUID], name: str) -> list[UUID]:
    """The ids in the order in which they were numbered."""
    return [about[each] for number in range(len(about)) if (each := f"{name} {number}") in about]
