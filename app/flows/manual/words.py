"""What people type into a request: plain words, without links and without characters that nobody sees."""

import re

from app.flows.account.prove import FieldError
from app.flows.bounds import LONGEST_ASKING, LONGEST_REASON
from app.sentence import Sentence

_LONGEST_TYPED = 4 * LONGEST_ASKING  # with its links, which are taken out
_SPACE = re.compile(r"[ \t\r\n\u00a0]")
_HOST = re.compile(r"\w\.[^\W\d_]{2}")  # what a mail program would take for the name of a host


def check_asking(typed: str) -> str:
    """What an asker tells the customer. Raises FieldError when nothing is left of it, or too much."""
    if len(typed) <= _LONGEST_TYPED:
        words = " ".join(word for word in _SPACE.split(typed) if word and not _is_link(word))
        if len(words) <= LONGEST_ASKING and words.isprintable() and any(map(str.isalnum, words)):
            return words
    raise FieldError(
        "reason",
        Sentence(
            "Say in 1 to %(most)s characters, without links, why you ask. The customer reads it.",
            most=LONGEST_ASKING,
        ),
    )


def check_judging(typed: str) -> str:
    """Why an operator released or refused. Raises FieldError when it is empty, too long or not printable."""
    words = " ".join(filter(None, _SPACE.split(typed))) if len(typed) <= 2 * LONGEST_REASON else ""
    if not words or len(words) > LONGEST_REASON or not words.isprintable():
        raise FieldError(
            "reason", Sentence("Give a reason of 1 to %(most)s characters.", most=LONGEST_REASON)
        )
    return words


def _is_link(word: str) -> bool:
    return "://" in word or "@" in word or _HOST.search(word) is not None
