"""Prepared requests in a file, and the answers they got: whole messages, each behind its length."""

import struct
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

_LENGTH = struct.Struct(">I")
_ANSWER = struct.Struct(">IH")


class Answer(NamedTuple):
    """position: which of the requests it answers, counted from 0."""

    position: int
    status: int
    body: bytes


def write_requests(path: Path, requests: Iterable[bytes]) -> int:
    """Write whole HTTP/1.1 requests; how many."""
    count = 0
    with path.open("wb") as file:
        for request in requests:
            file.write(pack_request(request))
            count += 1
    return count


def read_requests(path: Path) -> list[bytes]:
    return list(_records(path))


def pack_request(request: bytes) -> bytes:
    return _LENGTH.pack(len(request)) + request


def pack_answer(position: int, status: int, body: bytes) -> bytes:
    return _LENGTH.pack(_ANSWER.size + len(body)) + _ANSWER.pack(position, status) + body


def read_answers(path: Path) -> Iterator[Answer]:
    for record in _records(path):
        position, status = _ANSWER.unpack_from(record)
        yield Answer(position, status, record[_ANSWER.size :])


def form_request(
    path: str,
    fields: dict[str, str],
    *,
    basic: tuple[str, str] | None = None,
    bearer: str | None = None,
    host: str = "127.0.0.1",
    more: Mapping[str, str] | None = None,
) -> bytes:
    """A POST of a form. basic: user and password for the Authorization header; bearer: a token for it; more: headers."""
    body = urlencode(fields).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    if basic is not None:
        headers["Authorization"] = f"Basic {b64encode(':'.join(basic).encode()).decode()}"
    if bearer is not None:
        headers["Authorization"] = f"Bearer {bearer}"
    return _head("POST", path, host, {**headers, **(more or {})}) + body


def get_request(path: str, *, bearer: str | None = None, host: str = "127.0.0.1", **headers: str) -> bytes:
    """A GET. headers: more of them, `accept="application/json"`, `if_none_match=tag`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if bearer is not None:
        named["Authorization"] = f"Bearer {bearer}"
    return _head("GET", path, host, named)


def _head(method: str, path: str, host: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _records(path: Path) -> Iterator[bytes]:
    whole = path.read_bytes()
    start = 0
    while start < len(whole):
        (length,) = _LENGTH.unpack_from(whole, start)
        start += _LENGTH.size
        if start + length > len(whole):
            raise ValueError(f"{path} ends within a record")
        yield whole[start : start + length]
        start += length
