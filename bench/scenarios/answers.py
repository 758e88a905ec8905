"""Holding an answer to what it should be, so that a wrong one counts as a failure and not as a fast success."""

from typing import Any

import orjson
from locust.contrib.fasthttp import ResponseContextManager
from locust.exception import StopUser

_OK = 200


def expect(answer: ResponseContextManager, *, right: bool, status: int = _OK) -> None:
    """Mark the request; a user whose flow broke is done, and the failure says so."""
    if answer.status_code == status and right:
        answer.success()
        return
    # Never the body: it may hold a token.
    answer.failure(f"status {answer.status_code}, {status} and a whole answer expected")
    raise StopUser


def document_of(answer: ResponseContextManager) -> dict[str, Any]:
    """Empty when there is none."""
    try:
        document = orjson.loads(answer.content or b"")
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def is_token(document: dict[str, Any]) -> bool:
    return document.get("type") == "Bearer" and "access_token" in document


def describes(document: dict[str, Any], client_id: str) -> bool:
    """Whether an introspection answer calls a token active, and that application's."""
    return document.get("active") is True and document.get("client_id") == client_id
