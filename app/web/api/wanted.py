"""What a reader of the API wants, by the address and by what it accepts.

Programs ask in the same words each time, so what was read of the last ones is not read again.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from starlette.requests import Request

from app.aemp.address.addresses import (
    Address,
    FleetAddress,
    MachineAddress,
    no_such_address,
    parse_address,
)
from app.aemp.address.negotiation import Coding, Representation
from app.aemp.address.paging import Asked
from app.aemp.address.read_kind import ReadKind, read_kind
from app.web.api.negotiated import coding_of, representation_of
from app.web.paths import API, V1, V2
from app.web.request import field_value, raw_query

_AEMP_1_2, _ISO_15143 = "AEMP 1.2", "ISO 15143-3"
_MOST, _LONGEST = 1_024, 1_024  # so many are kept, each of so many characters at most

# A client may spell an address in endless ways, and each is shown in the links of its own document.
_PLAIN = re.compile(rf"(?:{API}|{V1}|{V2})Fleet(?:/[1-9][0-9]{{0,6}})?")


class Form(NamedTuple):
    """What makes two documents of the same content different bytes."""

    representation: Representation
    coding: Coding | None


class Route(NamedTuple):
    """A form of address by the name that measurements have it."""

    path: str


class Wanted(NamedTuple):
    """asked: as it came. plain: the path of a fleet's page in the one spelling that is ours; None for all else."""

    asked: Asked
    address: Address
    kind: ReadKind
    form: Form
    route: Route
    plain: bytes | None


class _Words(NamedTuple):
    """The words of a request that say what it wants, and by which version of the standard. path, query: undecoded."""

    version: str
    path: str
    query: str
    accept: str
    accept_encoding: str


def wanted_of(request: Request, *, aemp_1_2: bool) -> Wanted:
    """Raises AempError 406 when nothing is acceptable, 431 for a long list, and what `parse_address` raises."""
    path: bytes = request.scope["raw_path"]
    words = _Words(
        _AEMP_1_2 if aemp_1_2 else _ISO_15143,
        path.decode("ascii", errors="replace"),
        raw_query(request).decode("ascii", errors="replace"),
        field_value(request, "accept"),
        field_value(request, "accept-encoding"),
    )
    wanted = _read_again(words) if sum(map(len, words)) <= _LONGEST else _read(words)
    request.scope["route"] = wanted.route
    return wanted


def _read(words: _Words) -> Wanted:
    aemp_1_2 = words.version == _AEMP_1_2
    representation = representation_of(words.accept, aemp_1_2=aemp_1_2)
    before = V2 if not aemp_1_2 else V1 if words.path.startswith(V1) else API
    # The undecoded path: decoded by the router, an encoded slash would part it.
    address = parse_address(Asked(words.path.removeprefix(before), words.query))
    if aemp_1_2 and not isinstance(address, FleetAddress | MachineAddress):
        raise no_such_address()
    return Wanted(
        Asked(words.path, words.query),
        address,
        read_kind(address, aemp_1_2=aemp_1_2),
        Form(representation, coding_of(words.accept_encoding)),
        Route(before + address.form),
        words.path.encode() if _PLAIN.fullmatch(words.path) and not words.query else None,
    )


_read_again = lru_cache(_MOST)(_read)
