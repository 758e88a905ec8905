"""Fixed-width base62: one spelling per number, and texts of one width sort as their numbers do."""

from gmpy2 import digits, mpz

# ASCII order is what makes the order of texts the order of numbers; it is also the one that GMP spells in.
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def encode(number: int, width: int) -> str:
    """Spell a number of 0 or more in exactly `width` characters, zero-padded.

    GMP does it, since a token request spells two numbers of 128 bits and more: dividing in Python took a fifth of it.
    Raises OverflowError when the number needs more characters.
    """
    text: str = digits(number, 62)
    if len(text) > width:
        raise OverflowError(f"the number does not fit {width} characters")
    return text.zfill(width)


def decode(text: str) -> int:
    """Read base62 characters. GMP passes over spaces and underscores, so the text's shape was checked before."""
    return int(mpz(text, 62))
