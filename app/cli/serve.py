"""`rovitracker serve` and `rovitracker demo`: the service."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Annotated, Any

import typer
from rich.console import Console

from app.cli.distribution import unfit_distribution
from app.cli.output import Json, fail, print_json
from app.cli.work import once_it_answers, ready_stores
from app.context import open_context
from app.demo import seed_demo
from app.door import workers
from app.door.addresses import TrustedProxies
from app.door.bounds import Bounds
from app.door.descriptors import fitting_connections, raise_limit
from app.door.server import Config
from app.logs import configure_logs
from app.metrics import serve_metrics
from app.oauth.actor import COMMAND_LINE
from app.settings import Settings, export_environment, export_settings, load_settings
from app.storage.distributed.placement import select_distribution_facts
from app.storage.postgres.connections import Timeouts
from app.storage.postgres.database import open_database
from app.storage.schema.maintenance import select_excessive_rights
from app.stores import Stores
from app.web.demo import Demo

Host = Annotated[str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")]
Port = Annotated[
    int | None, typer.Option(min=1, max=65_535, help="The port to listen on.", show_default="8000")
]
Workers = Annotated[
    int | None, typer.Option(min=1, max=256, help="The number of processes that serve.", show_default="1")
]

# A machine that has just started, or is busy, takes its time. A supervisor's second attempt would meet the same.
_PATIENCE_S = 30.0


def add_to(cli: typer.Typer) -> None:
    cli.command(epilog="Example: rovitracker serve --host 0.0.0.0 --port 8000 --workers 4")(serve)
    cli.command(epilog="Example: rovitracker demo --port 8080")(demo)


def serve(host: Host = None, port: Port = None, workers: Workers = None, as_json: Json = False) -> None:
    """Run the service. Without database settings it starts private servers of its own."""
    flags = {"host": host, "port": port, "workers": workers}
    settings = load_settings(**flags)
    with _bind(settings) as listener, ready_stores(settings, patience_s=_PATIENCE_S) as stores:
        asyncio.run(once_it_answers(partial(_refuse_unfit, settings, stores), _PATIENCE_S))
        document = {"url": settings.issuer} if as_json else None
        _listen(settings, listener, flags, partial(_announce, document=document))


def demo(host: Host = None, port: Port = None, as_json: Json = False) -> None:
    """Run the service with a demo customer, fleet and application, made when the database is empty."""
    flags: dict[str, Any] = {"host": host, "port": port}
    settings = load_settings(**flags)
    if not settings.development:
        fail("the demo is for development; `rovitracker serve` is for production")
    if "log_level" not in settings.model_fields_set:
        flags["log_level"] = "warning"
    if "log_format" not in settings.model_fields_set:
        flags["log_format"] = "text"

    async def seed(stores: Stores) -> Demo | None:
        async with open_context(settings, stores) as context:
            return await seed_demo(context, COMMAND_LINE, settings)

    with _bind(settings) as listener, ready_stores(settings, patience_s=_PATIENCE_S) as stores:
        made = asyncio.run(seed(stores))
        announce = (
            partial(_announce, document=_document(settings, made))
            if as_json
            else partial(_tell, settings, made)
        )
        _listen(load_settings(**flags), listener, flags, announce)


def _listen(
    settings: Settings, listener: socket.socket, flags: dict[str, Any], announce: Callable[[], None]
) -> None:
    """Serve until the service is stopped, which whoever reads the announcement may ask for at once."""
    configure_logs(settings.log_level, readable=settings.log_format == "text")
    raise_limit()
    # The application is named, not made: each worker makes its own from the same environment.
    export_settings(**flags)
    with ExitStack() as stack:
        if settings.management_port is not None:
            served = serve_metrics(settings.host, settings.management_port, workers=settings.workers)
            export_environment(stack.enter_context(served))
        _run(settings, listener, announce)


def _run(settings: Settings, listener: socket.socket, announce: Callable[[], None]) -> None:
    config = Config(
        "app.main:app_from_environment",
        bounds=_bounds_of(settings),
        trusted=TrustedProxies(settings.trusted_proxies),
        shutdown_delay_s=settings.shutdown_delay.total_seconds(),
        factory=True,
        workers=settings.workers,
    )
    workers.serve(config, listener, announce)


def _bounds_of(settings: Settings) -> Bounds:
    """No address may take all connections of a process, however few its open files allow."""
    stores = settings.limit_database_connections + settings.limit_redis_connections
    most = fitting_connections(settings.limit_connections, stores=stores)
    return Bounds(
        connections=most, connections_per_address=min(settings.limit_connections_per_address, most * 3 // 4)
    )


def _bind(settings: Settings) -> socket.socket:
    """The socket that the service will listen on: a taken port is told before anything is started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with ExitStack() as unless_bound:
            listener = unless_bound.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # `::` serves IPv4 too, whatever the system's default is.
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind((settings.host, settings.port))
            unless_bound.pop_all()
    except OSError as error:
        fail(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}): choose another with --host or --port"
        )
    return listener


async def _refuse_unfit(settings: Settings, stores: Stores, connect_s: float) -> None:
    database = await open_database(
        stores.database_url,
        connections=1,
        role=stores.role,
        pooled=stores.pooled,
        timeouts=Timeouts(acquire_s=connect_s, connect_s=connect_s),
    )
    try:
        rights = await select_excessive_rights(database)
        facts = await select_distribution_facts(database)
    finally:
        await database.close()
    if unfit := unfit_distribution(facts, wanted=settings.distributed == "citus"):
        fail(unfit)
    if rights:
        fail(
            f"the service's database role {', '.join(rights)}: give it a login that is only granted rovitracker_service"
        )


def _announce(document: dict[str, Any] | None) -> None:
    if document is None:
        return
    print_json(document)
    # It stays the only one on stdout, whatever the workers write.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def _document(settings: Settings, demo: Demo | None) -> dict[str, Any]:
    return {
        "url": settings.issuer,
        "demo": demo
        and {
            "email": demo.email,
            "password": demo.password,
            "client_id": demo.client_id,
            "client_secret": demo.client_secret,
            "consent_url": demo.consent_url,
        },
    }


def _tell(settings: Settings, demo: Demo | None) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"\nRoviTracker Authorization serves on [bold]{settings.issuer}[/bold]  (development, Ctrl+C ends it)\n"
    )
    if demo is None:
        console.print("This database has applications of its own, so no demo was added.\n")
        return
    console.print("1. Open the consent link, as an application would send a customer there:\n")
    console.print(f"   {demo.consent_url}\n", markup=False)
    console.print("2. Sign in as the demo customer:\n")
    console.print(f"   e-mail    {demo.email}\n   password  {demo.password}\n", markup=False)
    console.print("3. Approve. The page you come back to performs the token request and the AEMP request.\n")
    console.print(
        f"   client_id      {demo.client_id}\n   client_secret  {demo.client_secret}\n", markup=False
    )
