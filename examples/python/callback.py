"""The application's callback page, on this machine: waits for the browser that comes back from RoviTracker."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urljoin, urlsplit

_HEADERS = {
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the page's address holds the code
}


class _Callback(BaseHTTPRequestHandler):
    timeout = 2  # a browser's spare connection says nothing

    def do_GET(self) -> None:
        path = urlsplit(os.environ["REDIRECT_URI"]).path
        ours = urlsplit(self.path).path == path
        self.send_response(200 if ours else 404)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if ours:
            self.wfile.write(b"You can close this page: the application goes on in the terminal.\n")
            self.server.came_back_to = urljoin(os.environ["REDIRECT_URI"], self.path)

    def log_message(self, *_: object) -> None:
        """Its lines would hold the code."""


def ask_customer(authorization_url: str) -> str:
    """The address at REDIRECT_URI that the customer's browser came back to, with `code` and `state` in it."""
    redirect_uri = urlsplit(os.environ["REDIRECT_URI"])
    with HTTPServer((redirect_uri.hostname, redirect_uri.port), _Callback) as server:
        server.came_back_to = None
        print("Open", authorization_url, flush=True)
        while server.came_back_to is None:
            server.handle_request()
    _check_answer(parse_qs(urlsplit(server.came_back_to).query))
    return server.came_back_to


def _check_answer(answer: dict[str, list[str]]) -> None:
    """What Authlib and requests-oauthlib leave to you: who answered (RFC 9207), and whether the customer said no."""
    if answer.get("iss") != [os.environ["ISSUER"]]:
        raise SystemExit("the answer is not from RoviTracker")
    if "error" in answer:
        raise SystemExit(f"not connected: {answer['error'][0]}")
