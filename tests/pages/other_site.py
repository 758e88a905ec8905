"""The application's own website, on another origin: where browsers come back to, and what a hostile page would try."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from html import escape
from urllib.parse import parse_qsl, urlsplit

_PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Application</title><h1>Application</h1>{body}'


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request of a browser to this site."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(slots=True)
class OtherSite:
    """Notes every request; `pages` are what its owner put up, and `redirects` lead from its paths to other addresses."""

    origin: str = ""
    arrivals: list[Arrival] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)

    @property
    def elsewhere(self) -> str:
        """The same server by another name, which is another origin to a browser."""
        return self.origin.replace("127.0.0.1", "localhost")

    @property
    def callback(self) -> str:
        return f"{self.origin}/callback"

    @property
    def callbacks(self) -> list[Arrival]:
        return [arrival for arrival in self.arrivals if arrival.path == "/callback"]

    def put_frame(self, url: str) -> str:
        """A page that shows another one in a frame; its address."""
        self.pages["/frame"] = (
            f'<iframe src="{escape(url)}" title="framed" width="600" height="900"></iframe>'
        )
        return f"{self.origin}/frame"

    def put_form(self, action: str, fields: dict[str, str]) -> str:
        """A page whose button posts these fields elsewhere; its address."""
        inputs = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in fields.items()
        )
        self.pages["/form"] = (
            f'<form method="post" action="{escape(action)}">{inputs}<button>Win a prize</button></form>'
        )
        return f"{self.origin}/form"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection: enough for a page without resources."""
        try:
            # A browser opens connections ahead, and closes or resets them unused.
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                writer.write(self._answer_to((await reader.readuntil(b"\r\n\r\n")).decode()))
                await writer.drain()
        finally:
            writer.close()

    def _answer_to(self, head: str) -> bytes:
        request_line, *lines = head.split("\r\n")
        url = urlsplit(request_line.split(" ")[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.arrivals.append(Arrival(url.path, dict(parse_qsl(url.query)), headers))
        body = _PAGE.format(body=self.pages.get(url.path, "")).encode()
        leads_to = self.redirects.get(url.path)
        status = f"302 Found\r\nLocation: {leads_to}" if leads_to else "200 OK"
        return (
            b"HTTP/1.1 %b\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n" % (status.encode(), len(body)) + body
        )


@asynccontextmanager
async def open_other_site() -> AsyncIterator[OtherSite]:
    site = OtherSite()
    async with await asyncio.start_server(site.answer, "127.0.0.1", 0) as server:
        site.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield site
