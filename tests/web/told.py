"""How a caller is told what was wrong: by redirect, on a page, as JSON or in a challenge, each as its RFC has it."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.support.browser import ORIGIN

# RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3
_TEXT = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")


def page_about(error: str) -> str:
    """RFC 6749 sections 4.1.2.1 and 5.2."""
    return f"{ORIGIN}/docs#error-{error}"


_ATTRIBUTE = re.compile(r'([a-z_]+)="([^"\\]*)"')


def error_by_redirect(answer: httpx2.Response, uri: str) -> dict[str, str]:
    """The parameters at this redirect URI (RFC 6749 section 4.1.2.1): the error, the issuer, the state, no code."""
    assert answer.status_code == 303, answer.text
    location = answer.headers["location"]
    assert location.startswith(uri + ("&" if "?" in uri else "?"))
    assert location.isascii()
    assert location.isprintable()
    appended = parse_qs(location[len(uri) + 1 :], keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in appended.values())
    assert urlsplit(location).fragment == ""
    parameters = {name: value for name, [value] in appended.items()}
    assert set(parameters) <= {"error", "error_description", "error_uri", "state", "iss"}
    assert parameters["iss"] == ORIGIN
    for name in ("error", "error_description"):
        assert _TEXT.fullmatch(parameters.get(name, "x"))
    assert parameters["error_uri"] == page_about(parameters["error"])
    return parameters


def error_on_page(answer: httpx2.Response, status: int = 400) -> None:
    """Our own page, and nothing that would take the browser elsewhere."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "location" not in answer.headers
    assert "refresh" not in answer.headers
    assert "http-equiv" not in answer.text


def error_as_json(answer: httpx2.Response) -> str:
    """RFC 6749 section 5.2: JSON, kept by nobody; with 401 a challenge, with 503 and 429 a time to come back."""
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    document = answer.json()
    assert document.pop("reference") == answer.headers["x-request-id"]
    if answer.status_code != 500:  # a bug, which tells nothing
        assert document.pop("error_uri").endswith(f"/docs#error-{document['error']}")
    assert set(document) == {"error", "error_description"}
    assert all(_TEXT.fullmatch(text) for text in document.values())
    assert ("www-authenticate" in answer.headers) == (answer.status_code == 401)
    assert ("retry-after" in answer.headers) == (answer.status_code in (429, 503))
    return str(document["error"])


def challenge_of(answer: httpx2.Response) -> dict[str, str]:
    """Attributes of a Bearer challenge (RFC 6750 section 3): at least one, each once, in the RFC's characters."""
    scheme, _, listed = answer.headers["www-authenticate"].partition(" ")
    assert scheme == "Bearer"
    attributes = _ATTRIBUTE.findall(listed)
    assert ", ".join(f'{name}="{value}"' for name, value in attributes) == listed
    assert all(_TEXT.fullmatch(value) for _, value in attributes)
    assert len(attributes) == len({name for name, _ in attributes}) > 0
    told = dict(attributes)
    assert told.get("error_uri") == (page_about(told["error"]) if "error" in told else None)
    return told
