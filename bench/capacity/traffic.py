"""Bytes that an exchange and a page of 100 machines take: python -m bench.capacity.traffic.

It writes bench/results/traffic.json, and starts a service and stores of its own. The bytes are those of requests and
answers, heads included; TLS and TCP come on top. The WAL of a page is what counting its readers writes.
"""

import argparse
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import orjson
import uvloop

from bench.capacity.results import RESULTS
from bench.ground.applications import register_applications
from bench.ground.codes import CODE_LIFE_S, Stores, pack_for_service, write_exchanges
from bench.ground.servers import service_serving
from bench.ground.service import Service
from bench.ground.serving import free_port, private_servers
from bench.load.machine import describe_machine
from bench.load.records import get_request, read_requests
from bench.load.wire import read_answer

_MACHINES, _PAGES = 100, 200
_PIECE, _GOOD = 65_536, 200
_PATIENCE_S = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.capacity.traffic", description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result (bench/results)")
    out: Path = parser.parse_args(arguments).out
    document = {"machine": describe_machine(), "bytes": measure()}
    out.mkdir(parents=True, exist_ok=True)
    (out / "traffic.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.write(f"{document['bytes']}\n")
    return 0


def measure() -> dict[str, dict[str, int]]:
    """Bytes of the request and of the answer, by what was asked for."""
    with private_servers("traffic") as servers:
        service = Service(servers.folder, free_port(), {"CODE_LIFETIME": f"{CODE_LIFE_S}s"})
        stores = Stores(servers.database_url, servers.redis_url(), pack_for_service, has_customers=True)
        application = register_applications(service, stores, 1, machines=_MACHINES).applications[0]
        with service_serving(service, 1, servers.folder / "service.log"):
            write_exchanges(stores, [application], servers.folder / "requests", 1)
            [exchange] = read_requests(servers.folder / "requests")
            token = service.client_token(**application.credentials)
            page = {"bearer": token, "Accept": "application/json"}
            asked = {
                "exchange": exchange,
                "page": get_request("/api/v2/Fleet/1", **page),
                "page, gzip": get_request("/api/v2/Fleet/1", **page, Accept_Encoding="gzip"),
            }
            found = {
                name: {"request": len(request), "answer": _answered(service.port, request)}
                for name, request in asked.items()
            }
            before = uvloop.run(_wal_written(servers.database_url))
            for _ in range(_PAGES):
                _answered(service.port, asked["page, gzip"])
        # A service that stops has written what it counted.
        found["page, gzip"]["wal"] = (uvloop.run(_wal_written(servers.database_url)) - before) // _PAGES
    return found


async def _wal_written(url: str) -> int:
    """Bytes since the servers were made."""
    session = await asyncpg.connect(url)
    try:
        return int(await session.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"))
    finally:
        await session.close()


def _answered(port: int, request: bytes) -> int:
    """Bytes of the whole answer, which must be a 200."""
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S) as connection:
        connection.sendall(request)
        data = b""
        while (answer := read_answer(data)) is None:
            piece = connection.recv(_PIECE)
            if not piece:
                sys.exit(f"the service closed after {len(data)} bytes")
            data += piece
    if answer.status != _GOOD:
        sys.exit(f"the service answered {answer.status}")
    return len(data)


if __name__ == "__main__":
    sys.exit(main())
