"""What a client takes. Programs send the same header fields each time, so the last ones are not read again."""

from functools import lru_cache

from starlette.requests import Request

from app.aemp.address.negotiation import (
    Coding,
    Representation,
    choose_coding,
    negotiate,
    negotiate_aemp_1_2,
)
from app.web.request import field_value
from app.web.table import is_aemp_1_2

_MOST = 256  # fields; one has 16 KiB at most
_of_iso_15143 = lru_cache(_MOST)(negotiate)
_of_aemp_1_2 = lru_cache(_MOST)(negotiate_aemp_1_2)
_coding = lru_cache(_MOST)(choose_coding)


def representation_of(request: Request) -> Representation:
    """By the address's version of the standard. Raises AempError 406 when nothing is acceptable, 431 for a long list."""
    choose = _of_aemp_1_2 if is_aemp_1_2(request.scope["path"]) else _of_iso_15143
    return choose(field_value(request, "accept"))


def coding_of(request: Request) -> Coding | None:
    """None for none. Raises AempError 431 when the list is too long."""
    return _coding(field_value(request, "accept-encoding"))
