"""An answer as bytes, whether the front sends it or the framework."""

from collections.abc import Mapping
from typing import NamedTuple

from starlette.responses import Response

Headers = list[tuple[bytes, bytes]]

NO_STORE: Headers = [(b"cache-control", b"no-store"), (b"pragma", b"no-cache")]
JSON: Headers = [(b"content-type", b"application/json"), *NO_STORE]

_LENGTH = b"content-length"


class Answer(NamedTuple):
    """Ready to be sent, but for its length."""

    status: int
    body: bytes
    headers: Headers = JSON


def as_response(answer: Answer) -> Response:
    response = Response(answer.body, answer.status)
    response.raw_headers.extend(answer.headers)
    return response


def from_response(response: Response) -> Answer:
    headers = [(name, value) for name, value in response.raw_headers if name != _LENGTH]
    return Answer(response.status_code, bytes(response.body), headers)


def spelt(headers: Mapping[str, str]) -> Headers:
    return [(name.lower().encode(), text.encode()) for name, text in headers.items()]
