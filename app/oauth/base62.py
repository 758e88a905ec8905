"""Fixed-width base62: one spelling per number, and texts of one width sort as their numbers do."""

from itertools import product

# ASCII order is what makes the order of texts the order of numbers.
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# Two characters at a time: half the divisions, and every token request makes some forty of them.
_PAIRS = tuple("".join(pair) for pair in product(ALPHABET, repeat=2))
_VALUES = {pair: value for value, pair in enumerate(_PAIRS)}


def encode(number: int, width: int) -> str:
    """Spell `number` in exactly `width` characters, zero-padded. OverflowError when it needs more."""
    text = ""
    for _ in range(0, width, 2):
        number, pair = divmod(number, 3844)
        text = _PAIRS[pair] + text
    # An odd width leaves half a pair in front.
    if number or (width % 2 and text[0] != "0"):
        raise OverflowError(f"the number does not fit {width} characters")
    return text[-width:]


def decode(text: str) -> int:
    """Read a text of an even number of base62 characters. KeyError for any other character."""
    number = 0
    for start in range(0, len(text), 2):
        number = number * 3844 + _VALUES[text[start : start + 2]]
    return number
