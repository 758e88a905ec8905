"""Scopes (RFC 6749 section 3.3): what an application may ask for, in one canonical form."""

import re
from collections.abc import Collection
from functools import lru_cache

from app.oauth.bounds import LONGEST_SCOPE
from app.oauth.errors import invalid_scope

# Scope tokens, sorted, each once: equal scopes compare equal and are stored as one text.
Scope = tuple[str, ...]

# Every scope there is, with what the customer reads on the consent page.
KNOWN_SCOPES = {
    "aemp:read": "See your machines: name, model, position, hours, fuel and distance",
    "telemetry:write": "Report readings of your machines, which all who see the machines will see",
}

DEFAULT_SCOPE = "aemp:read"

_NAME = r"[\x21\x23-\x5B\x5D-\x7E]+"
_SCOPE = re.compile(rf"{_NAME}(?: {_NAME})*")


@lru_cache(maxsize=256)  # the same few in every request
def parse(text: str) -> Scope:
    """Read scope tokens. Raises invalid_scope when they are too long, or not spelt as the RFC allows."""
    if len(text) > LONGEST_SCOPE:
        raise invalid_scope(f"scope is longer than {LONGEST_SCOPE} characters")
    if not _SCOPE.fullmatch(text):
        raise invalid_scope("scope is malformed")
    return tuple(sorted(set(text.split(" "))))


def narrow(requested: str | None, allowed: Collection[str], default: str = DEFAULT_SCOPE) -> Scope:
    """The scope asked for, or the default. Raises invalid_scope when any of it is not allowed."""
    scope = parse(default if requested is None else requested)
    if not set(scope) <= set(allowed):
        raise invalid_scope("scope reaches beyond what this application may ask for")
    return scope
