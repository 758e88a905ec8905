"""Token strings of the service's format, made and read with the least work that does it."""

import os
import time
import zlib
from itertools import product

_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(bytes(pair) for pair in product(_DIGITS, repeat=2))
_VALUES = {pair: value for value, pair in enumerate(_PAIRS)}
_PAIR_COUNT = len(_PAIRS)


def mint(prefix: bytes, bucket: int) -> tuple[bytes, bytes]:
    """A new UUIDv7 of the bucket, and the token of it with 160 random bits."""
    random = int.from_bytes(os.urandom(28))
    number = (
        time.time_ns() // 1_000_000 << 80
        | 7 << 76
        | (random >> 160 & 0xFFF) << 64
        | 0b10 << 62
        | (random >> 172 & 0x3FFFFFFFFFFFF) << 12
        | bucket
    )
    body = prefix + _spell(number, 11) + _spell(random & (1 << 160) - 1, 14)[1:]
    return number.to_bytes(16), body + _spell(zlib.crc32(body), 3)


def token_id(token: bytes) -> bytes | None:
    """The id in a token, None where there is none. That the token is right, its digest proves."""
    number = 0
    for start in range(9, 31, 2):
        value = _VALUES.get(token[start : start + 2])
        if value is None:
            return None
        number = number * _PAIR_COUNT + value
    return number.to_bytes(16) if number >> 128 == 0 else None


def _spell(number: int, pairs: int) -> bytes:
    parts = []
    for _ in range(pairs):
        number, pair = divmod(number, _PAIR_COUNT)
        parts.append(_PAIRS[pair])
    parts.reverse()
    return b"".join(parts)
