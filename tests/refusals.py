"""Refusals of the machine endpoints, held to the shape that RFC 6749 section 5.2 gives them."""

import httpx2


def error_of(answer: httpx2.Response, status: int = 400) -> str:
    """The error of an answer that is shaped as RFC 6749 section 5.2 wants it (O-57, O-58)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) <= {"error", "error_description", "error_uri"}
    return str(answer.json()["error"])


def assert_unavailable(answer: httpx2.Response) -> None:
    assert error_of(answer, 503) == "temporarily_unavailable"
    assert int(answer.headers["retry-after"]) > 0
