"""Names and figures as both renderings write them."""

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Everything but the Char production of XML 1.0 section 2.2; a machine's name may hold any of it.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_FIXED = 2  # decimals that are always written, as real feeds do


def clean(text: str) -> str:
    """Control bytes and lone surrogates replaced: XML cannot carry them, nor PostgreSQL store all of them."""
    return _FORBIDDEN.sub(REPLACEMENT, text)


def format_decimal(value: float, decimals: int) -> str:
    """Fixed decimals up to 2, beyond that only those needed: `1937.20`, `10.0137`. Never an exponent or `-0`."""
    text = f"{value:z.{decimals}f}"
    if decimals <= _FIXED:
        return text
    stripped = text.rstrip("0")
    return f"{stripped}0" if stripped.endswith(".") else stripped
