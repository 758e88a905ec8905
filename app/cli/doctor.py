"""`rovitracker doctor`: checks everything that the service needs, and says what to do."""

import asyncio
import smtplib
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.cli import checks
from app.cli.checks import Finding
from app.cli.output import Json, print_json, wants_json
from app.cli.work import make_anew
from app.door.descriptors import hard_limit
from app.embedded import EmbeddedError
from app.logs import configure_logs
from app.settings import Settings, SettingsError, load_settings
from app.storage.errors import StatementRefusedError, StoreUnavailableError
from app.storage.postgres.database import open_database
from app.storage.schema.address import shown_address
from app.storage.schema.diagnosis import read_valkey_facts, select_database_facts, select_partition_facts
from app.storage.schema.maintenance import select_excessive_rights
from app.storage.schema.migrations import (
    DevelopmentSchemaError,
    MigrationError,
    apply_migrations,
    read_migrations,
    read_status,
)
from app.storage.valkey.valkey import Valkey
from app.stores import Stores, open_stores

_MAIL_TIMEOUT_S = 5
_COLOURS = {"ok": "green", "warning": "yellow", "wrong": "red"}


def add_to(cli: typer.Typer) -> None:
    cli.command(epilog="Example: rovitracker doctor --json")(doctor)


def doctor(as_json: Json = False) -> None:
    """Check versions, settings, stores, schema, clocks, partitions, limits and mail; fail when something is wrong."""
    configure_logs("error", sys.stderr)
    findings = list(_examine())
    if wants_json(as_json):
        print_json([asdict(finding) for finding in findings])
    else:
        _print_table(findings)
    if any(finding.verdict == "wrong" for finding in findings):
        raise typer.Exit(1)


def _examine() -> Iterator[Finding]:
    yield checks.check_python()
    try:
        settings = load_settings()
    except SettingsError as error:
        yield Finding("settings", "wrong", str(error), "correct the setting; the rest is checked then")
        return
    yield from checks.check_settings(settings)
    yield checks.check_data_dir(settings)
    yield checks.check_files(hard_limit(), settings, connections=settings.limit_connections)
    if settings.smtp_url is not None:
        yield _check_mail(settings.smtp_url.get_secret_value())
    try:
        with open_stores(settings) as stores:
            yield from asyncio.run(_examine_stores(settings, stores))
    except EmbeddedError as error:
        yield Finding("private servers", "wrong", str(error), "see the log it names")


async def _examine_stores(settings: Settings, stores: Stores) -> list[Finding]:
    return [
        *[finding async for finding in _examine_database(settings, stores)],
        *[finding async for finding in _examine_valkey(settings, stores)],
    ]


async def _examine_database(settings: Settings, stores: Stores) -> AsyncIterator[Finding]:
    try:
        if settings.embedded:  # nobody else would
            await apply_migrations(stores.owner_url, read_migrations())
        schema = checks.check_schema(await read_status(stores.owner_url, read_migrations()))
    except StoreUnavailableError as error:
        yield Finding("PostgreSQL", "wrong", str(error), "start it, or correct the address")
        return
    except MigrationError as error:
        development = isinstance(error, DevelopmentSchemaError)
        yield Finding("schema", "wrong", str(error), make_anew(settings) if development else "do as it says")
        return
    yield schema
    if schema.verdict == "wrong":
        return
    database = await open_database(stores.database_url, connections=1, role=stores.role)
    try:
        before = datetime.now(UTC)
        facts = await select_database_facts(database)
        after = datetime.now(UTC)
        for finding in checks.check_database(facts, settings):
            yield finding
        yield checks.check_clock("PostgreSQL", facts.now, before, after)
        yield checks.check_rights(await select_excessive_rights(database))
        for finding in checks.check_partitions(await select_partition_facts(database)):
            yield finding
    except (StoreUnavailableError, StatementRefusedError) as error:
        address = shown_address(stores.database_url)
        yield Finding("PostgreSQL", "wrong", f"{address}: {error}", "correct ROVITRACKER_DATABASE_URL")
    finally:
        await database.close()


async def _examine_valkey(settings: Settings, stores: Stores) -> AsyncIterator[Finding]:
    valkey = Valkey(stores.redis_url, connections=1, most_waiting=1000)
    try:
        before = datetime.now(UTC)
        facts = await read_valkey_facts(valkey)
        after = datetime.now(UTC)
    except StoreUnavailableError as error:
        address = shown_address(stores.redis_url)
        yield Finding("Valkey", "wrong", f"{address}: {error}", "start it, or correct ROVITRACKER_REDIS_URL")
        return
    finally:
        await valkey.close()
    for finding in checks.check_valkey(facts, settings):
        yield finding
    yield checks.check_clock("Valkey", facts.now, before, after)


def _check_mail(url: str) -> Finding:
    """Greet the server and secure the line, but send nothing."""
    parts = urlsplit(url)
    shown = shown_address(url)
    try:
        with _smtp(parts.scheme, parts.hostname or "", parts.port) as server:
            code, _ = server.noop()
    except (OSError, smtplib.SMTPException) as error:
        return Finding("mail", "wrong", f"{shown}: {error}", "start it, or correct ROVITRACKER_SMTP_URL")
    return Finding("mail", "ok", f"{shown} answers {code}")


@contextmanager
def _smtp(scheme: str, host: str, port: int | None) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context()
    if scheme == "smtps":
        with smtplib.SMTP_SSL(host, port or 465, timeout=_MAIL_TIMEOUT_S, context=context) as server:
            yield server
        return
    with smtplib.SMTP(host, port or 587, timeout=_MAIL_TIMEOUT_S) as server:
        if server.has_extn("starttls"):
            server.starttls(context=context)
        yield server


def _print_table(findings: list[Finding]) -> None:
    table = Table("", "check", "found", "what to do", header_style="bold")
    for finding in findings:
        verdict = f"[{_COLOURS[finding.verdict]}]{finding.verdict}[/]"
        table.add_row(verdict, finding.check, escape(finding.found), escape(finding.todo))
    Console().print(table)
