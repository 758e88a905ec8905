"""HTTP as no library sends it: bytes out on a socket, and the answers that come back as they are."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_PATIENCE_S = 10.0
_FORM = b"application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """headers: by their names in small letters. body: as it came, compressed or not."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def told(self) -> str:
        """The kind of answer it is: the error's name in JSON, one of our pages, or the server's own word."""
        kind = self.headers.get("content-type", "")
        if kind == "application/json":
            return str(self.document.get("error", "json"))
        if kind.startswith("text/html"):
            return "page"
        return "server" if kind.startswith("text/plain") else self.body.decode()


def post(
    body: bytes, *headers: bytes, path: bytes = b"/app/oauth2/token", content_type: bytes | None = _FORM
) -> bytes:
    lines = (b"Content-Length: %d" % len(body), *headers)
    return head(b"POST " + path, *lines, content_type=content_type) + body


def chunked(*chunks: bytes, path: bytes = b"/app/oauth2/token") -> bytes:
    """The chunks as they are given, sizes and all."""
    return head(b"POST " + path, b"Transfer-Encoding: chunked", content_type=_FORM) + b"".join(chunks)


def get(target: bytes, *headers: bytes) -> bytes:
    return head(b"GET " + target, *headers)


def head(
    method_and_target: bytes,
    *headers: bytes,
    version: bytes = b"1.1",
    content_type: bytes | None = None,
) -> bytes:
    lines = [method_and_target + b" HTTP/" + version, b"Host: localhost", *headers]
    if content_type is not None:
        lines.append(b"Content-Type: " + content_type)
    return b"\r\n".join([*lines, b"", b""])


async def send(
    port: int, sent: bytes, *, answers: int = 1, patience_s: float | None = None
) -> list[RawAnswer]:
    """Send, and read so many answers, or fewer when the server closes; the rest is then left unsent.

    patience_s: after which a server may wait for the rest of a request that never comes.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    sending = asyncio.create_task(_write(writer, sent))
    found: list[RawAnswer] = []
    try:
        async with asyncio.timeout(patience_s or _PATIENCE_S):
            while len(found) < answers:
                found.append(await read_answer(reader))
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    except TimeoutError:
        if patience_s is None:
            raise
    finally:
        sending.cancel()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return found


async def _write(writer: asyncio.StreamWriter, sent: bytes) -> None:
    with suppress(ConnectionError):
        writer.write(sent)
        await writer.drain()


async def read_answer(reader: asyncio.StreamReader) -> RawAnswer:
    """The next answer on a connection.

    It fails where a header is sent twice. Chunks are not understood: the body is as long as Content-Length says, or empty.
    Raises IncompleteReadError when the connection ends first.
    """
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    pairs = [line.partition(": ") for line in lines]
    headers = {name.lower(): value for name, _, value in pairs}
    assert len(headers) == len(pairs), f"a header is sent twice: {lines}"
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return RawAnswer(int(start.split(" ")[1]), headers, body)
