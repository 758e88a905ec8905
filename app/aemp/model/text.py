"""Names and figures as both renderings write them."""

import re
from collections.abc import Callable

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Everything but the Char production of XML 1.0 section 2.2; a machine's name may hold any of it.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_FIXED = 2  # decimals that are always written, as real feeds do


def clean(text: str) -> str:
    """Control bytes and lone surrogates replaced: XML cannot carry them, nor PostgreSQL store all of them."""
    return FORBIDDEN.sub(REPLACEMENT, text)


def is_fixed(decimals: int) -> bool:
    """Whether figures are written with all these decimals, not with those alone that are needed."""
    return decimals <= _FIXED


def decimal_writer(decimals: int) -> Callable[[float], str]:
    """Fixed decimals up to 2, beyond that only those needed: `1937.20`, `10.0137`. Never an exponent or `-0`."""
    fixed = f"{{:z.{decimals}f}}".format
    if is_fixed(decimals):
        return fixed

    def write(value: float) -> str:
        text = fixed(value).rstrip("0")
        return f"{text}0" if text[-1] == "." else text

    return write
