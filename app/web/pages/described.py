"""Two versions of what customers recognise an application by, side by side."""

from typing import Any

from app.oauth.description import Description
from app.sentence import Sentence
from app.web.paths import LOGO

_LABELS = {
    "name": Sentence("Name"),
    "company": Sentence("Company"),
    "logo_digest": Sentence("Logo"),
    "redirect_uris": Sentence("Redirect addresses"),
    "scope": Sentence("Scopes"),
    "terms_uri": Sentence("Terms"),
    "privacy_uri": Sentence("Privacy notice"),
}


def compared(before: Description, after: Description, *, all_members: bool = False) -> list[dict[str, Any]]:
    """A row for each member that differs, or for all: its label, and the lines of both versions."""
    names = tuple(_LABELS) if all_members else before.differs_in(after)
    return [
        {
            "label": _LABELS[name],
            "picture": name == "logo_digest",
            "before": _lines(before, name),
            "after": _lines(after, name),
            "differs": getattr(before, name) != getattr(after, name),
        }
        for name in names
    ]


def _lines(description: Description, name: str) -> list[str]:
    value = getattr(description, name)
    if isinstance(value, bytes):
        return [LOGO.format(digest=value.hex())]
    if isinstance(value, tuple):
        return list(value)
    return [value] if value else []
