"""Claims about the errors we raise."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.oauth import errors
from app.oauth.errors import OAuthError
from app.sentence import Sentence

APP = Path(errors.__file__).parents[1]


def test_description_of_every_cause_of_a_failed_authentication_is_the_same() -> None:
    """O-45: an unknown client and a wrong secret look alike; only the log tells them apart."""
    one, other = errors.invalid_client("unknown client"), errors.invalid_client("wrong secret")
    assert (one.code, one.what, one.status) == (other.code, other.what, other.status)
    assert (one.status, dict(one.headers)) == (401, {"WWW-Authenticate": 'Basic realm="RoviTracker"'})
    assert one.detail != other.detail


def test_detail_is_logged_and_never_part_of_the_description() -> None:
    error = errors.invalid_client("the secret expired yesterday")
    assert "yesterday" in str(error)
    assert "yesterday" not in error.what


def test_unavailable_store_says_when_to_come_back() -> None:
    """O-64, O-96."""
    error = errors.temporarily_unavailable("connection refused", retry_after_s=7)
    assert (error.code, error.status, error.headers) == (
        "temporarily_unavailable",
        503,
        (("Retry-After", "7"),),
    )


@pytest.mark.parametrize(
    ("error", "status", "code", "scope"),
    [
        (errors.missing_token(None), 401, "", ""),
        (errors.missing_token("aemp:read"), 401, "", "aemp:read"),
        (errors.malformed_bearer("two headers"), 400, "invalid_request", ""),
        (errors.invalid_token("telemetry:write"), 401, "invalid_token", "telemetry:write"),
        (errors.insufficient_scope("aemp:read"), 403, "insufficient_scope", "aemp:read"),
    ],
)
def test_bearer_error_carries_its_challenge(error: OAuthError, status: int, code: str, scope: str) -> None:
    """O-69, O-70, O-71, O-72, O-73: the code stands in the challenge, except where no credentials came at all."""
    ((name, value),) = error.headers
    attributes = dict(re.findall(r'(\w+)="([^"]*)"', value))
    description = {"error_description": error.what} if code else {}
    expected = {"realm": "RoviTracker", "error": code, **description, "scope": scope}
    assert (error.status, name) == (status, "WWW-Authenticate")
    assert attributes == {key: text for key, text in expected.items() if text}


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (errors.unauthorized_client, "unauthorized_client"),
        (errors.unsupported_grant_type, "unsupported_grant_type"),
        (errors.unsupported_response_type, "unsupported_response_type"),
        (errors.access_denied, "access_denied"),
        (errors.server_error, "server_error"),
    ],
)
def test_named_error_is_made_anew_each_time(make: Callable[[], OAuthError], code: str) -> None:
    """A shared instance would collect the tracebacks of every request that raised it."""
    assert make().code == code
    assert make() is not make()


@given(st.text())
def test_no_text_leaves_the_character_set_of_a_description(text: str) -> None:
    """O-24, O-58."""
    assert re.fullmatch(r"[\x20\x21\x23-\x5B\x5D-\x7E]*", errors.invalid_request(text).what)


# RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, RFC 8707 section 2
RFCS = {
    *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"),
    *("invalid_scope", "unsupported_response_type", "access_denied", "server_error"),
    *("temporarily_unavailable", "invalid_token", "insufficient_scope", "invalid_target"),
}


def test_every_error_of_the_rfcs_is_made_in_one_file() -> None:
    """A rule's answer is looked up there; elsewhere it is raised, and nothing is put together."""
    makers, texts = set[str](), set[str]()
    for file in sorted(APP.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("OAuthError", "_bearer_error"):
                makers.add(str(file.relative_to(APP)))
                texts |= {str(each.value) for each in node.args if isinstance(each, ast.Constant)}
    assert makers == {"oauth/errors.py"}
    assert texts >= RFCS


def test_page_error_keeps_what_the_person_reads() -> None:
    error = errors.PageError(
        Sentence("Unknown application"), Sentence("Ask whoever sent you here."), status=404
    )
    assert (error.title, error.what, error.status) == (
        "Unknown application",
        "Ask whoever sent you here.",
        404,
    )
