"""The ASGI application: opens the stores, builds the context, mounts routes and error answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from app import __version__
from app.context import open_context
from app.demo import load_demo
from app.door.garbage import collect_rarely
from app.door.lag import watched_loop
from app.ending import end
from app.flows.developer.credential_uses import write_uses_for_ever
from app.flows.developer.keep_reporting import keep_reporting_for_ever
from app.flows.developer.refused_requests import write_refused_for_ever
from app.flows.fleet.count_reads import write_reads_for_ever
from app.flows.mail.send_mails import send_for_ever
from app.flows.upkeep.keep_cap import keep_cap_for_ever
from app.flows.upkeep.maintain import maintain_for_ever
from app.logs import REQUESTS, configure_logs
from app.metrics import MEASUREMENTS
from app.settings import Settings, load_settings
from app.stores import open_stores
from app.web.errors import mount_errors
from app.web.front.service import Service
from app.web.pages.render import TEMPLATES
from app.web.routes import router

# How long a service that stops waits for the mail under way, which the next would send again, and for what was gathered.
_FINISH_S = 10.0


def create_app(settings: Settings) -> Service:
    """One process's application. Stores are opened when it starts and need not be up: `/health/ready` tells."""
    app = Service(
        front=settings.asgi_front,
        title="RoviTracker Authorization",
        version=__version__,
        # Handlers take bytes and give bytes, so FastAPI has nothing to infer: app/web/reference describes them.
        openapi_url=None,
        telemetry={
            "metrics": False,
            "logs": False,
        },  # ours are in access_log.py; traces go where a provider is set up
        # Starlette would answer /app/login/ with a 307 to wherever the Host header says, password and all (R-78, O-137).
        redirect_slashes=False,
        lifespan=partial(_lifespan, settings),
    )
    app.include_router(router)
    mount_errors(app)
    return app


@asynccontextmanager
async def _lifespan(settings: Settings, app: FastAPI) -> AsyncIterator[None]:
    with open_stores(settings) as stores:
        async with open_context(settings, stores) as context:
            app.state.context = context
            app.state.demo = load_demo(settings)
            context.changes.listen(stores.direct_url, context.database)
            upkeep = (
                asyncio.create_task(maintain_for_ever(context, stores.owner_url)),
                asyncio.create_task(keep_cap_for_ever(context)),
                asyncio.create_task(keep_reporting_for_ever(context)),
            )
            stopping = asyncio.Event()
            finishing = (
                asyncio.create_task(send_for_ever(context, stopping)),
                asyncio.create_task(write_reads_for_ever(context, stopping)),
                asyncio.create_task(write_refused_for_ever(context, stopping)),
                asyncio.create_task(write_uses_for_ever(context, stopping)),
            )
            TEMPLATES.compile()
            collect_rarely()
            with watched_loop():
                yield
            stopping.set()
            context.reads.due.set()
            context.refused_requests.due.set()
            context.credential_uses.due.set()
            await end(*upkeep)
            await asyncio.wait(finishing, timeout=_FINISH_S)
            await end(*finishing)
            REQUESTS.flush()
            MEASUREMENTS.flush()


def app_from_environment() -> FastAPI:
    """The application as uvicorn's workers import it: each reads the same environment."""
    settings = load_settings()
    configure_logs(settings.log_level, readable=settings.log_format == "text")
    return create_app(settings)
