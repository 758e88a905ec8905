"""Live tokens before a run: exchanged for codes as any other."""

from collections.abc import Sequence
from pathlib import Path

import orjson

from bench.ground.codes import Application, Stores, write_exchanges
from bench.load.generator import GeneratorError, generate, load_of
from bench.load.records import read_requests

_OK = 200


def exchange_codes(
    stores: Stores,
    applications: Sequence[Application],
    url: str,
    count: int,
    *,
    path: Path,
    member: str = "access_token",
) -> list[tuple[Application, str]]:
    """Exchange so many codes; return applications and their tokens. path: for the requests. member: of the answers."""
    write_exchanges(stores, applications, path, count)
    tokens: list[tuple[Application, str]] = []

    def keep(position: int, status: int, body: bytes) -> None:
        if status == _OK:
            tokens.append((applications[position % len(applications)], orjson.loads(body)[member]))

    generate(load_of(url, read_requests(path), once=True), keep)
    if len(tokens) != count:
        raise GeneratorError(f"{count} codes gave {len(tokens)} tokens")
    return tokens
