"""Refusals of the machine endpoints, held to the shape that RFC 6749 section 5.2 gives them."""

import httpx2

from tests.web.told import error_as_json


def error_of(answer: httpx2.Response, status: int = 400) -> str:
    """The error's name. It fails where the status is another, or the answer not of the RFC's shape."""
    assert answer.status_code == status, answer.text
    return error_as_json(answer)


def assert_unavailable(answer: httpx2.Response) -> None:
    """The answer while a store is away, with the seconds after which to come again."""
    assert error_of(answer, 503) == "temporarily_unavailable"
    assert int(answer.headers["retry-after"]) > 0
