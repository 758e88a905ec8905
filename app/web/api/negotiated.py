"""What a client takes. Programs send the same header fields each time, so the last ones are not read again."""

from functools import lru_cache

from app.aemp.address.negotiation import (
    Coding,
    Representation,
    choose_coding,
    negotiate,
    negotiate_aemp_1_2,
)

_MOST = 256  # fields; one has 16 KiB at most
_of_iso_15143 = lru_cache(_MOST)(negotiate)
_of_aemp_1_2 = lru_cache(_MOST)(negotiate_aemp_1_2)
_coding = lru_cache(_MOST)(choose_coding)


def representation_of(accept: str, *, aemp_1_2: bool) -> Representation:
    """By the version of the standard. Raises AempError 406 when nothing is acceptable, 431 for a long list."""
    return _of_aemp_1_2(accept) if aemp_1_2 else _of_iso_15143(accept)


def coding_of(accept_encoding: str) -> Coding | None:
    """None for none. Raises AempError 431 when the list is too long."""
    return _coding(accept_encoding)
