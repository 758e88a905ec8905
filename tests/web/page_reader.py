"""An application that reads pages of a fleet, and the bytes that it is sent."""

from dataclasses import dataclass

import httpx2

from tests.support.browser import Browser

FIRST = "/api/v2/Fleet/1"
FORMS = [
    {"Accept": accept, "Accept-Encoding": coding}
    for accept in ("application/xml", "application/json", "text/xml")
    for coding in ("identity", "gzip", "zstd")
]


@dataclass(frozen=True, slots=True)
class Reader:
    """An application and its token."""

    browser: Browser
    token: str

    async def __call__(self, address: str = FIRST, **headers: str) -> httpx2.Response:
        """The answer undecoded."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity", **headers}
        async with self.browser.http.stream("GET", address, headers=headers) as answer:
            answer.extensions["raw"] = b"".join([part async for part in answer.aiter_raw()])
        return answer


def bytes_of(answer: httpx2.Response) -> tuple[int, bytes, str, str]:
    headers = answer.headers
    return (
        answer.status_code,
        answer.extensions["raw"],
        headers.get("etag", ""),
        headers.get("content-type", ""),
    )
