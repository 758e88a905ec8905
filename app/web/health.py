"""Three routes for operators: is the process alive, can it serve, which version is it."""

import asyncio
import platform

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app import __version__
from app.door.draining import DRAINING
from app.storage.errors import (
    READ_ONLY,
    OtherKindError,
    PassingError,
    RedirectedError,
    RetiredError,
    StandbyError,
    StatementRefusedError,
    StoreUnavailableError,
)
from app.storage.schema.migrations import read_migrations, select_writable_schema_number
from app.web.request import NO_STORE, context_of

_SCHEMA = len(read_migrations())
_PATIENCE_S = 2.0
_NO_SCHEMA = "no schema: run `rovitracker migrate up`"
_TAKES_NO_WRITES = "takes no writes"
_OTHER_KIND = "not what its address says: run `rovitracker doctor`"
_REFUSED = {READ_ONLY: _TAKES_NO_WRITES, "42501": "a right is missing: run `rovitracker doctor`"}

# What strangers may know: the faults of an interpreter or a library are found by its version.
PUBLISHED: dict[str, str | int] = {"version": __version__}
_RUNNING: dict[str, str | int] = {**PUBLISHED, "python": platform.python_version(), "schema": _SCHEMA}


async def alive(_request: Request) -> Response:
    """Never touches a store: a process that can answer is not to be restarted for its database's sake."""
    return _answer(200, {"status": "ok"})


async def ready(request: Request) -> Response:
    """503 where PostgreSQL would take no token, and from the moment a process is told to leave.

    While Valkey would take no code only new approvals and client assertions wait: degraded.
    """
    postgres, valkey = await asyncio.gather(_postgres(request), _valkey(request))
    if getattr(request.state, DRAINING, False):
        return _answer(503, {"status": "draining", "postgresql": postgres, "valkey": valkey})
    if postgres != "ok":
        return _answer(503, {"status": "unavailable", "postgresql": postgres, "valkey": valkey})
    status = "ok" if valkey == "ok" else "degraded"
    return _answer(200, {"status": status, "postgresql": postgres, "valkey": valkey})


async def version(request: Request) -> Response:
    """In production the service's own version alone; `rovitracker doctor` tells operators the rest."""
    return _answer(200, _RUNNING if context_of(request).policy.development else PUBLISHED)


async def _postgres(request: Request) -> str:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            number = await select_writable_schema_number(context_of(request).database)
    except StandbyError:
        return _TAKES_NO_WRITES
    except StatementRefusedError as refused:
        return _REFUSED.get(
            refused.sqlstate, "unreachable" if isinstance(refused, PassingError) else _NO_SCHEMA
        )
    except (PassingError, TimeoutError):
        return "unreachable"
    return "ok" if number >= _SCHEMA else "schema behind: run `rovitracker migrate up`"


async def _valkey(request: Request) -> str:
    try:
        await context_of(request).valkey.check_writable()
    except (RetiredError, RedirectedError):
        return _TAKES_NO_WRITES
    except OtherKindError:
        return _OTHER_KIND
    except StoreUnavailableError:
        return "unreachable"
    return "ok"


def _answer(status: int, document: dict[str, str | int]) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json", headers=NO_STORE)
