"""The origin of the work in hand: the request that is served, for the log and the audit trail."""

from contextvars import ContextVar
from typing import NamedTuple

# The id of the request, and its client's address and port. It is a bare tuple, since every request sets it and few ask.
# It holds no more of the request, since connections that it opens keep what it set for as long as they live.
Served = tuple[str, tuple[str, int] | None]
SERVED: ContextVar[Served | None] = ContextVar("served", default=None)


class Origin(NamedTuple):
    """request_id: as the answer tells it. address: of the client. Both are None where no request is served."""

    request_id: str | None
    address: str | None


_NOWHERE = Origin(None, None)


def origin() -> Origin:
    served = SERVED.get()
    if served is None:
        return _NOWHERE
    request_id, client = served
    return Origin(request_id, client[0] if client else None)
