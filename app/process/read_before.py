"""Requests that come again and again are read once."""

from collections.abc import Callable
from hashlib import sha256
from typing import Generic, TypeVar

from app.bounded import Bounded
from app.oauth.bounds import LONGEST_REMEMBERED
from app.oauth.request import FORM_TYPE, TokenQuery, TokenRequest

Read = TypeVar("Read", bound=TokenRequest | TokenQuery)


class ReadBefore(Generic[Read]):
    """Reads requests, and those it read before without reading: programs ask the same again and again.

    Known by the digest of their bytes, and without a token or secret in them, so that memory holds no more than a store.
    One is kept when it comes a second time: a flood of made-up tokens, each asked about once, displaces none. What works
    only once is never kept, nor is what is longer than any application's own request: strangers would fill the memory.
    """

    def __init__(
        self,
        parse: Callable[[str | None, bytes, str | None], Read],
        *,
        most: int = 20_000,
    ) -> None:
        self._parse = parse
        self._requests = Bounded[bytes, Read](most)
        self._seen = Bounded[bytes, None](most)

    def read(self, content_type: str | None, body: bytes, authorization: str | None) -> Read:
        """As `parse`, errors too."""
        if content_type != FORM_TYPE:
            return self._parse(content_type, body, authorization)
        whole = body if authorization is None else b"%b\n%b" % (authorization.encode(), body)
        key = sha256(whole).digest()
        request = self._requests.get(key)
        if request is None:
            request = self._parse(content_type, body, authorization)
            if request.repeats and len(whole) <= LONGEST_REMEMBERED:
                self._remember(key, request)
        return request

    def _remember(self, key: bytes, request: Read) -> None:
        if key in self._seen:
            del self._seen[key]
            self._requests.put(key, request)
        else:
            self._seen.put(key, None)
