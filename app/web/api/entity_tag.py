"""The entity tag of a document, and whether a client has it already: RFC 9110 sections 8.8.3 and 13.1.2."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256

from app.aemp.address.negotiation import Coding, check_list

_BYTES = 18  # of the digest; two documents of one address with the same tag are out of the question
_BYTES_OF_A_ROW = 16  # of its digest
_TAG = re.compile(r'(?:W/)?("[^"]*")')


def entity_tag(body: bytes, coding: Coding | None) -> str:
    """Strong: of the uncompressed body, and of its coding, since a tag stands for the very bytes that are sent."""
    digest = urlsafe_b64encode(sha256(body).digest()[:_BYTES]).decode()
    return f'"{digest}-{coding}"' if coding else f'"{digest}"'


def digest_rows(rows: Iterable[bytes | memoryview]) -> bytes:
    """Digests of the rows of a document, 16 bytes each, so that only rows that change are digested again."""
    return b"".join([sha256(row).digest()[:_BYTES_OF_A_ROW] for row in rows])


def digest_again(digests: bytes, rows: Sequence[bytes | memoryview], places: Iterable[int]) -> bytes:
    """The digests after the rows at these places have changed."""
    renewed = bytearray(digests)
    for place in places:
        start = _BYTES_OF_A_ROW * place
        renewed[start : start + _BYTES_OF_A_ROW] = digest_rows([rows[place]])
    return bytes(renewed)


def tag_of_rows(head: bytes, digests: bytes, coding: Coding | None) -> str:
    """The entity tag of a document in one form. head: all of it before its rows."""
    return entity_tag(sha256(head).digest() + digests, coding)


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether one of the client's tags is this one. A weak one counts too: proxies weaken those of what they touch.

    Raises AempError 431 when the list is too long.
    """
    if if_none_match == tag:  # as nearly all clients have it
        return True
    check_list(if_none_match)
    return if_none_match.strip() == "*" or any(found[1] == tag for found in _TAG.finditer(if_none_match))
