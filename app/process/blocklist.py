"""Passwords that a guesser tries first: common words, walks over the keyboard, and the person's own names."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from string import digits, punctuation, whitespace

_AROUND = digits + punctuation + whitespace
_WRITTEN_FOR_LETTERS = str.maketrans("013457@$!", "oieastasi")
_SHORTEST_CORE = 4
_LONGEST_AROUND = 8  # a date; more than that may be chance
_SHORTEST_PERIOD = 8
_MOST_STEPS = 2  # 1234567890 goes one up and once nine down

OWN = ("rovitracker",)


def core_of(password: str) -> str:
    """The word in a password, without the digits and signs around it, and with letters for digits within."""
    return password.lower().strip(_AROUND).translate(_WRITTEN_FOR_LETTERS)


# Whoever guesses knows how people write these in other ways, so the list holds the cores alone.
COMMON = frozenset((Path(__file__).parent / "blocklist.txt").read_text().split())


def is_easily_guessed(password: str, own: Iterable[str] = ()) -> bool:
    """Whether a guesser would try it early. own: words about the person, such as their e-mail address."""
    plain = password.lower()
    if _is_run(plain) or _repeats(plain):
        return True
    for word in sorted({*OWN, *_words(own)}, key=len, reverse=True):
        plain = plain.replace(word, " ")
    stripped = plain.strip(_AROUND)
    around = plain.replace(stripped, "", 1).strip() if stripped else plain.strip()
    core = core_of(plain)
    common = len(core) < _SHORTEST_CORE or core in COMMON or core.replace(" ", "") in COMMON
    return common and (plain != password.lower() or len(around) <= _LONGEST_AROUND or _is_run(around))


def _words(own: Iterable[str]) -> set[str]:
    """Each text and its parts, where they are long enough to be recognised."""
    found: set[str] = set()
    for text in own:
        parts = "".join(sign if sign.isalnum() else " " for sign in text.lower()).split()
        found.update((text.lower(), "".join(parts), *parts))
    return {word for word in found if len(word) >= _SHORTEST_CORE}


def _is_run(text: str) -> bool:
    """Whether it goes by few steps: 1234567890, aaaaaaaaaa, 1212121212."""
    return (
        text.isascii() and len({ord(after) - ord(before) for before, after in pairwise(text)}) <= _MOST_STEPS
    )


def _repeats(text: str) -> bool:
    """Whether it is a short text, or a common one, again and again."""
    period = (text + text).find(text, 1)
    return (
        text.isascii()
        and period < len(text)
        and (period < _SHORTEST_PERIOD or core_of(text[:period]) in COMMON)
    )
