"""Headers that are lists of names with weights, read in a time that grows no faster than they do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
# Commas and semicolons inside quotes part nothing. Possessive, and an unclosed quote runs to the end: a header of
# 60 KB of quotes took a minute when each of them was tried for its closing one.
_QUOTED = r'"(?:[^"\\]|\\.)*+"?+'
_MEMBERS = re.compile(f'(?:[^,"]|{_QUOTED})++')
_PARTS = re.compile(f'(?:[^;"]|{_QUOTED})++')


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a header such as Accept or Accept-Language (RFC 9110 section 12.4.2)."""

    name: str
    weight: float
    parameters: dict[str, str] = field(default_factory=dict)


def has_parts(header: str, many: int) -> bool:
    """Whether its members and their parameters are that many or more; nobody needs to read so long a list."""
    return header.count(",") + header.count(";") >= many


def read_members(header: str) -> Iterator[Member]:
    """The readable members, in lower case; one with a broken weight says nothing that could be followed."""
    for text in _MEMBERS.findall(header):
        name, *pairs = [part.strip() for part in _PARTS.findall(text)] or [""]
        split = (pair.partition("=") for pair in pairs)
        parameters = {key.strip().lower(): value.strip().strip('"') for key, _, value in split}
        weight = parameters.get("q", "1")
        if _WEIGHT.fullmatch(weight):
            yield Member(name.lower(), float(weight), parameters)
