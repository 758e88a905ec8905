"""What the first word of a command line can be, and the file that has its verbs.

Only that file is loaded, with what it imports: most verbs need neither the service's server nor an HTTP client.
"""

from collections.abc import Sequence
from importlib import import_module

import typer

from app.loading import without_collections

# In the order of the help. A file of single verbs adds them by itself; one of a noun is a group.
_VERBS = {
    "serve": "serve",
    "demo": "serve",
    "config": "configuration",
    "maintain": "upkeep",
    "doctor": "doctor",
}
_NOUNS = {
    "migrate": "migrate",
    "app": "application",
    "customer": "customer",
    "connection": "connection",
    "request": "request",
    "operator": "operator",
    "fleet": "fleet",
    "token": "token",
    "flow": "flow",
    "key": "key",
    "audit": "audit",
    "data": "data",
    "mail": "mail",
}


def add_verbs(cli: typer.Typer, words: Sequence[str]) -> None:
    """Add the verbs of the first word, or all where it is none of these."""
    first = {word for word in words[:1] if word in _VERBS or word in _NOUNS}
    with without_collections():
        for name in dict.fromkeys(file for verb, file in _VERBS.items() if not first or verb in first):
            import_module(f"app.cli.{name}").add_to(cli)
        for noun, name in _NOUNS.items():
            if not first or noun in first:
                cli.add_typer(import_module(f"app.cli.{name}").cli, name=noun)
