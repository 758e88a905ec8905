"""Names that look alike are brought down to the letters that a hasty reader takes them for. Pictures have a likeness."""

import re
import unicodedata
from functools import lru_cache
from importlib.resources import files

import orjson

from app.oauth.bounds import LONGEST_NAME

# Pairs that Unicode's table of confusables does not lead to a Latin letter, since it compares capitals with capitals.
_FURTHER = {
    "\u0138": "k",
    "\u03ba": "k",
    "\u043a": "k",
    "\u043d": "h",
    "\u0442": "t",
    "\u0432": "b",
    "\u043c": "m",
    "\u03b7": "n",
    "\u043f": "n",
    "\u03c4": "t",
    "\u03b2": "b",
    "\u0455": "s",
}
# What stays alike among plain letters and digits, after all are small: "RoviTracker" and "R0viTracker".
_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "j": "l", "|": "l", "5": "s", "8": "b"})
_JOINED = (("rn", "m"), ("vv", "w"))
_DROPPED = re.compile(r"[\W_]+")
_ALPHABETS = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"})
_SHORTEST_NEAR = 5  # letters; shorter names are near too many others
_MOST_APART = 6  # of 64 bits: what is left of a picture after it was scaled, recoloured or encoded anew differs in fewer
_64_BITS = 2**64 - 1  # likenesses are signed
_SMALL_CAPITAL = re.compile(r"LATIN LETTER SMALL CAPITAL ([A-Z])")


@lru_cache(maxsize=20_000)
def skeleton(name: str) -> str:
    """The same text for all names that look the same: scripts, widths, accents, cases, blanks and signs play no part."""
    plain = "".join(_latin(letter) for letter in unicodedata.normalize("NFKC", name[:LONGEST_NAME]))
    letters = _DROPPED.sub("", _unmarked(plain).casefold()).translate(_ALIKE)
    for pair, one in _JOINED:
        letters = letters.replace(pair, one)
    return letters


def looks_like(one: str, other: str) -> bool:
    """Whether two skeletons are the same, or one letter was changed, added, dropped or swapped with the next."""
    if one == other:
        return bool(one)
    few, many = sorted((one, other), key=len)
    if len(few) < _SHORTEST_NEAR or len(many) - len(few) > 1:
        return False
    begin = 0
    while begin < len(few) and few[begin] == many[begin]:
        begin += 1
    if len(few) < len(many):
        return few[begin:] == many[begin + 1 :]
    swapped = (
        few[begin : begin + 2] == many[begin : begin + 2][::-1] and few[begin + 2 :] == many[begin + 2 :]
    )
    return swapped or few[begin + 1 :] == many[begin + 1 :]


def holds(name: str, other: str) -> bool:
    """Whether a skeleton has another in it, or looks like it."""
    return other in name or looks_like(name, other)


def pictures_alike(one: int | None, other: int | None) -> bool:
    """Whether two pictures look the same by their likenesses; None is like nothing."""
    return one is not None and other is not None and ((one ^ other) & _64_BITS).bit_count() <= _MOST_APART


def mixes_alphabets(name: str) -> bool:
    """Whether letters of alphabets that have look-alikes stand beside each other."""
    alphabets = {unicodedata.name(each, "").partition(" ")[0] for each in name if each.isalpha()}
    return len(alphabets & _ALPHABETS) > 1


def _latin(letter: str) -> str:
    """The Latin letter that another is taken for, or itself."""
    if letter.isascii():
        return letter
    for form in (letter, letter.casefold()):
        found = _FURTHER.get(form) or _confusables().get(form)
        if found is not None:
            return found
    small = _SMALL_CAPITAL.fullmatch(unicodedata.name(letter, ""))
    return small[1] if small else letter


def _unmarked(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))


@lru_cache(maxsize=1)
def _confusables() -> dict[str, str]:
    """Unicode's own table (UTS 39), by single characters that are taken for Latin letters or digits.

    Its file is read when the first name is compared, since most processes never do.
    """
    table = orjson.loads(files("confusable_homoglyphs").joinpath("confusables.json").read_bytes())
    found = {}
    for letter, taken_for in table.items():
        plain = [text for each in taken_for if (text := _unmarked(each["c"])).isascii() and text.isalnum()]
        if len(letter) == 1 and not letter.isascii() and plain:
            found[letter] = plain[0]
    return found
