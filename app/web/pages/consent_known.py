"""What the consent page tells of an application besides: since when it is known, and the links of its makers."""

from typing import Any

from app.context import Context
from app.flows.approval.known import read_known
from app.sentence import Sentence
from app.storage.people.applications import Application

_PRIVACY = Sentence("What it does with your data")
_TERMS = Sentence("Its terms")


async def known_values(context: Context, application: Application) -> dict[str, Any]:
    """known: since when, and by how many. links: a name and an address each."""
    links = ((_PRIVACY, application.privacy_uri), (_TERMS, application.terms_uri))
    return {
        "known": await read_known(context, application),
        "links": [(name, link) for name, link in links if link],
    }
