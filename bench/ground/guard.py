"""The service with one route more, whose body is always the same: what a bearer-guarded route costs beside its guard.

`python -m bench.ground.guard --workers 2` serves it as `rovitracker serve` serves the service, on the port of the
settings. With BENCH_CALLER (ids of application, customer and token) the guard is a constant, on this route and on the
AEMP ones.
"""

import argparse
import os
import socket
from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.requests import Request

from app.door import workers
from app.door.bounds import Bounds
from app.door.server import Config
from app.flows.token.check_token import AccessToken
from app.logs import configure_logs
from app.main import create_app
from app.settings import load_settings
from app.storage.token.tokens import StoredToken
from app.web.answer import Answer
from app.web.api import aemp
from app.web.api.bearer import Caller
from app.web.front.hot import HotPath, guarded
from app.web.front.service import Service
from app.web.paths import BELOW_FLEET_V2, FLEET_V2_ROUTE
from app.web.table import READ
from bench.ground.guarded_path import GUARDED

_CONNECTIONS = 10_000  # from one address, as all of the load is


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m bench.ground.guard")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    settings = load_settings()
    with socket.create_server((settings.host, settings.port)) as listener:
        bounds = Bounds(connections=_CONNECTIONS, connections_per_address=_CONNECTIONS)
        name = f"{__spec__.name}:{app.__name__}"
        workers.serve(Config(name, bounds=bounds, factory=True, workers=options.workers), listener)


def app() -> Service:
    settings = load_settings()
    configure_logs(settings.log_level)
    application = create_app(settings)
    guard: Callable[[Request], Awaitable[Caller]] = aemp.reader
    if "BENCH_CALLER" in os.environ:
        guard = _constant(_caller_of(*(UUID(each) for each in os.environ["BENCH_CALLER"].split(","))))
        for path in (BELOW_FLEET_V2, FLEET_V2_ROUTE):
            application.hot.put(HotPath(path, READ, guarded(guard, aemp.answer_v2)))
    application.hot.put(HotPath(GUARDED, READ, guarded(guard, _guarded)))
    return application


def _constant(caller: Caller) -> Callable[[Request], Awaitable[Caller]]:
    async def guard(_request: Request) -> Caller:
        return caller

    return guard


def _caller_of(application_id: UUID, customer_id: UUID, token_id: UUID) -> Caller:
    row = StoredToken(
        id=token_id,
        digest=b"",
        grant_id=None,
        application_id=application_id,
        customer_id=customer_id,
        scope="aemp:read",
        audience="",
        issued_at=0,
        used_at=None,
        expires_at=0,
        left_s=0.0,
        renewable=False,
        active=True,
        account=None,
        member_id=None,
        former_client_id=None,
        share=None,
        history_from=None,
        connection_version=1,
        detailed=False,
        test=False,
    )
    return Caller(customer_id, AccessToken(row))


async def _guarded(_request: Request, caller: Caller) -> Answer:
    return Answer(200, str(caller.customer_id).encode(), [(b"content-type", b"text/plain")])


if __name__ == "__main__":
    main()
