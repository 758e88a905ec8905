"""Scopes (RFC 6749 section 3.3): what an application may ask for, in one canonical form."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from app.oauth.bounds import LONGEST_SCOPE
from app.oauth.errors import OAuthError, invalid_scope
from app.sentence import Sentence

# Scope tokens, sorted, each once: equal scopes compare equal and are stored as one text.
Scope = tuple[str, ...]

# Every scope there is, with all that it opens, as the customer reads it line by line on the consent page.
KNOWN_SCOPES: dict[str, tuple[Sentence, ...]] = {
    "account:read": (
        Sentence(
            "See whose account this is: the company's name, a number that stands for you, and your e-mail address if you confirmed it"
        ),
    ),
    "aemp:read": (
        Sentence("See your machines: name, make, model, serial number and position"),
        Sentence("See their work: hours, idle hours, distance, fuel and exhaust fluid"),
        Sentence("See their engine and loads: engine state, engine load, speed, loads and payload, switches"),
        Sentence("See their faults: fault codes and caution codes"),
        Sentence("See their history: all of this of the last 400 days"),
    ),
    "telemetry:write": (
        Sentence("Report readings of your machines, which all who see the machines will see"),
    ),
}

DEFAULT_SCOPE = "aemp:read"

# Scopes that an operator's own programs are registered for: no application asks for them, so nothing lists them.
_OPERATORS = "admin:"

_NAME = r"[\x21\x23-\x5B\x5D-\x7E]++"
# The RFC has one blank between two names. Requests are put together from lists, which leave more of them.
_SCOPE = re.compile(rf" *+{_NAME}(?: ++{_NAME})*+ *+")
# The description may be shown to a person elsewhere: a stranger must not write sentences or addresses into it.
_SPEAKABLE = re.compile(r"[A-Za-z0-9_:-]{1,40}")


def offered_scopes() -> dict[str, str]:
    """The scopes that applications may ask for, sorted, with the words of the consent page."""
    return {
        name: ". ".join(lines)
        for name, lines in sorted(KNOWN_SCOPES.items())
        if not name.startswith(_OPERATORS)
    }


def opened_by(scopes: Iterable[str]) -> list[Sentence]:
    """The lines that tell a customer everything these scopes open."""
    return [line for name in scopes for line in KNOWN_SCOPES[name]]


@lru_cache(maxsize=256)  # the same few in every request
def parse(text: str) -> Scope:
    """Read scope tokens. Raises invalid_scope when they are too long, or not spelt as the RFC allows."""
    if len(text) > LONGEST_SCOPE:
        raise invalid_scope(f"scope is longer than {LONGEST_SCOPE} characters")
    if not _SCOPE.fullmatch(text):
        raise invalid_scope("scope is malformed")
    return tuple(sorted(set(text.split())))


def narrow(requested: str | None, allowed: Collection[str], default: str = DEFAULT_SCOPE) -> Scope:
    """The scope asked for, or the default. Raises invalid_scope, which names the first word that is not allowed."""
    scope = parse(default if requested is None else requested)
    refused = [word for word in scope if word not in allowed]
    if refused:
        raise refused_scope(refused[0], by_default=requested is None)
    return scope


def refused_scope(word: str, *, by_default: bool = False) -> OAuthError:
    """The refusal that names a word. by_default: whether nobody asked for it."""
    if by_default:
        return invalid_scope(f"scope is missing, and its default {word} may not be asked for here")
    named = word if _SPEAKABLE.fullmatch(word) else "a word"
    return invalid_scope(f"scope has {named}, which may not be asked for here")
