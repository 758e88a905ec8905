"""The thin front: token and introspection requests go straight to their handlers, past the framework's stack.

The very same handlers are FastAPI endpoints too (routes.py); what the front saves is the routing, the request object
and the dependency solving between the socket and them, which cost more than a batched commit's share.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.introspect import answer_introspection
from app.web.token import answer_token
from app.web.wire import Handler, serve

HOT: dict[str, Handler] = {
    "/app/oauth2/token": answer_token,
    "/app/oauth2/introspect": answer_introspection,
}


class Front:
    """Plain ASGI: what is not a POST to a hot path goes on unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = HOT.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if handler is None:
            await self._app(scope, receive, send)
            return
        scope["hot_path"] = scope["path"]
        status, body, headers = await serve(handler, scope, receive)
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": body})
