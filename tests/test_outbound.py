"""The service calls its stores and its mail server, which the settings name, and nobody that a request names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parents[1] / "app"

# What opens a connection to an address, by the module that is imported.
CALLERS = {
    "aiohttp", "aiosmtplib", "asyncpg", "ftplib", "http.client", "httpx", "httpx2", "redis", "requests", "smtplib", "socket",
    "telnetlib", "urllib.request", "urllib3", "websockets", "xmlrpc",
}  # fmt: skip
OPENERS = {
    "create_connection",
    "create_unix_connection",
    "open_connection",
    "open_unix_connection",
    "urlopen",
}

# The rooms that may, and the party that each calls.
KNOWN = {
    "mail": "the mail server of ROVITRACKER_MAIL_URL",
    "storage": "PostgreSQL and Valkey of their settings",
    "embedded": "the private servers",
    "door": "nobody: its sockets listen",
    "cli": "the service that the person at the terminal names",
}
# These hand a request to this very process, by ASGI, and no socket is opened.
WITHIN = {"web/developer/try_out.py", "web/pages/demo.py"}


def callers() -> Iterator[tuple[str, str]]:
    """Each file of the program that could call somebody, and by what."""
    for file in sorted(APP.rglob("*.py")):
        name = str(file.relative_to(APP))
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found = [node.module or ""]
            elif isinstance(node, ast.Attribute) and node.attr in OPENERS:
                yield name, node.attr
                continue
            else:
                continue
            yield from ((name, each) for each in found if {each, each.partition(".")[0]} & CALLERS)


def test_nothing_that_a_request_names_is_ever_called() -> None:
    """R-64: no redirect URI, logo, privacy page or key set is fetched, so no address leads into the inner network."""
    outside = {
        (file, by) for file, by in callers() if file.partition("/")[0] not in KNOWN and file not in WITHIN
    }
    assert outside == set()


@pytest.mark.parametrize("file", sorted(WITHIN))
def test_a_request_within_the_process_opens_no_socket(file: str) -> None:
    """R-64."""
    tree = ast.parse((APP / file).read_text())
    clients = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and "AsyncClient" in ast.unparse(node.func)
    ]
    assert clients
    for client in clients:
        assert "ASGITransport(" in ast.unparse(tree)
        assert "transport" in {keyword.arg for keyword in client.keywords}
