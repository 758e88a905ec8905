"""The application's side of a browser flow, on this machine alone: a first page, and the callback."""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from app.cli.output import fail

CALLBACK = "/callback"
_HOST = "127.0.0.1"
_STYLE = """
:root { color-scheme: light dark }
body { font: 1.0625rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1.5rem }
h1 { font-size: 1.6rem; line-height: 1.2 }
a { display: inline-block; padding: .6rem 1.2rem; border-radius: .5rem; font-weight: 600; text-decoration: none;
    background: light-dark(#1d2024, #ecebe6); color: light-dark(#fff, #1d2024) }
"""
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style><h1>{title}</h1><p>{text}</p>{link}</html>"""
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the callback's address holds the code
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


@dataclass(slots=True)
class LocalPage:
    """A page, where it listens, and the callback's parameters when they have come."""

    origin: str
    state: str
    begin_at: str = ""
    answers: "queue.Queue[dict[str, str]]" = field(default_factory=queue.Queue)

    @property
    def redirect_uri(self) -> str:
        return self.origin + CALLBACK

    def wait(self, timeout_s: float) -> dict[str, str] | None:
        """The answer that carries our state, or None.

        It waits a second at a time: an interrupt that comes just before a wait is seen only after it.
        """
        until = time.monotonic() + timeout_s
        while (left_s := until - time.monotonic()) > 0:
            with suppress(queue.Empty):
                return self.answers.get(timeout=min(left_s, 1))
        return None

    def show(self, path: str, query: str) -> tuple[int, str, dict[str, str] | None]:
        """Status, page, and the answer if one came. One that does not carry our state was not asked for."""
        if path == "/":
            begin = _page(
                "An application asks for access",
                "Sign in at RoviTracker as a customer and decide. Your browser comes back here.",
                link=f'<a href="{escape(self.begin_at)}">Go to RoviTracker</a>',
            )
            return 200, begin, None
        if path != CALLBACK:
            return 404, _page("Not here", "There is nothing at this address."), None
        parameters = parse_qs(query, keep_blank_values=True)
        answer = {name: values[0] for name, values in parameters.items() if len(values) == 1}
        if answer.get("state") != self.state:
            return 400, _page("Not asked for", "The state is not the one this flow began with."), None
        thanks = _page("The answer has come", "The terminal goes on from here; you can close this page.")
        return 200, thanks, answer


def _page(title: str, text: str, *, link: str = "") -> str:
    return _PAGE.format(title=title, text=text, link=link, style=_STYLE)


@contextmanager
def serve_page(port: int, state: str) -> Iterator[LocalPage]:
    """Serve the page until the block ends. port: 0 for any free one."""
    page = LocalPage(origin="", state=state)

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # a browser's spare connection says nothing, and must not hold a thread

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, body, answer = page.show(parts.path, parts.query)
            self.send_response(status)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())
            if (
                answer is not None
            ):  # only now: the terminal may end, and this thread with it, as soon as it has it
                page.answers.put(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's own name
            """Its lines would stand between the steps, with the code in them."""

    with _listen(port, Handler) as server:
        page.origin = f"http://{_HOST}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield page
        finally:
            server.shutdown()
            thread.join()


def _listen(port: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    try:
        return ThreadingHTTPServer((_HOST, port), handler)
    except OSError as error:
        fail(f"cannot listen on {_HOST}:{port} ({error.strerror}): choose another with --port")
