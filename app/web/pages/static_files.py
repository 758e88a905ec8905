"""Style sheets and pictures of our pages, kept by browsers for ever under the version that changes with them."""

import os
from typing import NamedTuple

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from app.web.pages.render import ASSET_VERSION, STATIC
from app.web.paths import STATIC_FILES

_THIS_VERSION = f"v={ASSET_VERSION}".encode()


class _Route(NamedTuple):
    path: str


_ROUTE = _Route(STATIC_FILES)  # measurements have one label for all files, and the framework notes none


class PageFiles(StaticFiles):
    """A file asked for without the version in force is asked about again each time."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = _ROUTE
        await super().__call__(scope, receive, send)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        for_ever = scope["query_string"] == _THIS_VERSION
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if for_ever else "no-cache"
        return response
