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
from app.web.request import fields_of, raw_query

_MOST, _LONGEST = 1_024, 1_024  # so many are kept, each of so many bytes at most

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


def wanted_of(request: Request, *, aemp_1_2: bool) -> Wanted:
    """Raises AempError 406 when nothing is acceptable, 431 for a long list, and what `parse_address` raises."""
    path: bytes = request.scope["raw_path"]
    query, fields = raw_query(request), fields_of(request)
    accept, accept_encoding = fields.get(b"accept", b""), fields.get(b"accept-encoding", b"")
    read = _read_again if len(path) + len(query) + len(accept) + len(accept_encoding) <= _LONGEST else _read
    wanted = read(path, query, accept, accept_encoding, aemp_1_2)
    request.scope["route"] = wanted.route
    return wanted


def _read(
    raw_path: bytes,
    raw_query: bytes,
    accept: bytes,
    accept_encoding: bytes,
    aemp_1_2: bool,  # noqa: FBT001  # a name would cost more than all others
) -> Wanted:
    """raw_path, raw_query: undecoded. Decoded by the router, an encoded slash would part the path."""
    path, query = (each.decode("ascii", errors="replace") for each in (raw_path, raw_query))
    representation = representation_of(accept.decode("latin-1"), aemp_1_2=aemp_1_2)
    before = V2 if not aemp_1_2 else V1 if path.startswith(V1) else API
    address = parse_address(Asked(path.removeprefix(before), query))
    if aemp_1_2 and not isinstance(address, FleetAddress | MachineAddress):
        raise no_such_address()
    return Wanted(
        Asked(path, query),
        address,
        read_kind(address, aemp_1_2=aemp_1_2),
        Form(representation, coding_of(accept_encoding.decode("latin-1"))),
        Route(before + address.form),
        path.encode() if _PLAIN.fullmatch(path) and not query else None,
    )


_read_again = lru_cache(_MOST)(_read)
