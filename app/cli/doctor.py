"""`rovitracker doctor`: checks everything that the service needs, and says what to do."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from datetime import UTC, datetime

import typer

from app.cli import checks
from app.cli.checks import Finding
from app.cli.hints import SET_UP, make_anew
from app.cli.output import Json, print_json, print_table, wants_json
from app.cli.passkey_check import check_passkeys
from app.cli.python_check import check_python
from app.cli.valkey_check import examine_valkey
from app.door.descriptors import hard_limit
from app.embedded import EmbeddedError
from app.logs import configure_logs
from app.mail.server import MailServer
from app.mail.transport import Line
from app.oauth.keys import derive_keys
from app.refused import SetUpError
from app.settings import Settings, SettingsError, load_settings, variables_of_the_driver
from app.storage.distributed.placement import select_distribution_facts
from app.storage.errors import (
    ForgetfulSessionError,
    StandbyError,
    StatementRefusedError,
    StoreUnavailableError,
)
from app.storage.mail.outbox import select_outbox_facts
from app.storage.people.passkeys import count_passkeys_by_host
from app.storage.people.second_factors import count_totp_by_key
from app.storage.people.signing_keys import select_newest_seal
from app.storage.postgres.database import Database, open_database
from app.storage.schema.address import shown_address
from app.storage.schema.diagnosis import select_database_facts, select_partition_facts
from app.storage.schema.ground import select_ground
from app.storage.schema.maintenance import select_excessive_rights
from app.storage.schema.migrations import (
    DevelopmentSchemaError,
    apply_migrations,
    read_migrations,
    read_status,
    rights_of,
)
from app.storage.schema.requirements import UnfitServerError
from app.storage.schema.rights import select_missing_rights
from app.storage.schema.surroundings import select_lacks
from app.stores import Stores, open_stores, secret_keys

_COLOURS = {"ok": "green", "warning": "yellow", "wrong": "red"}


def add_to(cli: typer.Typer) -> None:
    cli.command(epilog="Example: rovitracker doctor --json")(doctor)


def doctor(as_json: Json = False) -> None:
    """Check versions, settings, stores, schema, clocks, partitions, limits and mail; fail when something is wrong."""
    configure_logs("error", sys.stderr)
    findings = list(examine())
    if wants_json(as_json):
        print_json([asdict(finding) for finding in findings])
    else:
        rows = [
            {"": each.verdict, "check": each.check, "found": each.found, "what to do": each.todo}
            for each in findings
        ]
        print_table(rows, styles=_COLOURS)
    if any(finding.verdict == "wrong" for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    yield check_python()
    try:
        settings = load_settings()
    except SettingsError as error:
        yield Finding("settings", "wrong", str(error), "correct the setting; the rest is checked then")
        return
    yield from checks.check_settings(settings)
    yield from checks.check_environment(variables_of_the_driver(), settings)
    yield checks.check_data_dir(settings)
    yield checks.check_files(hard_limit(), settings, connections=settings.limit_connections)
    if settings.mail_server is not None:
        yield asyncio.run(_check_mail(settings.mail_server))
    try:
        with open_stores(settings) as stores:
            yield from asyncio.run(_examine_stores(settings, stores))
    except EmbeddedError as error:
        yield Finding("private servers", "wrong", str(error), "see the log it names")


async def _examine_stores(settings: Settings, stores: Stores) -> list[Finding]:
    return [
        *[finding async for finding in _examine_database(settings, stores)],
        *[finding async for finding in examine_valkey(settings, stores.redis_url)],
    ]


async def _examine_database(settings: Settings, stores: Stores) -> AsyncIterator[Finding]:
    schema = await _examine_schema(settings, stores)
    yield schema
    if schema.verdict == "wrong":
        return
    database = await open_database(stores.database_url, connections=1, role=stores.role, pooled=stores.pooled)
    try:
        async for finding in _examine_facts(settings, database):
            yield finding
    except ForgetfulSessionError as error:
        yield Finding("durability", "wrong", *str(error).split(": ", 1))
    except (StoreUnavailableError, StatementRefusedError) as error:
        address = shown_address(stores.database_url)
        yield Finding("PostgreSQL", "wrong", f"{address}: {error}", _remedy(error, settings))
    finally:
        await database.close()


async def _examine_schema(settings: Settings, stores: Stores) -> Finding:
    try:
        if settings.embedded:  # nobody else would
            await apply_migrations(stores.owner_url, read_migrations())
        return checks.check_schema(await read_status(stores.owner_url, read_migrations()))
    except (StandbyError, UnfitServerError) as error:
        return Finding("PostgreSQL", "wrong", str(error), "do as it says")
    except StoreUnavailableError as error:
        return Finding("PostgreSQL", "wrong", str(error), "start it, or correct the address")
    except StatementRefusedError as error:
        return Finding("schema", "wrong", str(error), _remedy(error, settings))
    except SetUpError as error:
        development = isinstance(error, DevelopmentSchemaError)
        return Finding("schema", "wrong", str(error), make_anew(settings) if development else "do as it says")


async def _examine_facts(settings: Settings, database: Database) -> AsyncIterator[Finding]:
    before = datetime.now(UTC)
    facts = await select_database_facts(database)
    after = datetime.now(UTC)
    for finding in checks.check_database(facts, settings):
        yield finding
    yield checks.check_clock("PostgreSQL", facts.now, before, after)
    yield checks.check_ground(await select_ground(database))
    yield checks.check_rights(await select_excessive_rights(database))
    if distribution := checks.check_distribution(await select_distribution_facts(database), settings):
        yield distribution
    yield checks.check_grants(await select_missing_rights(database, rights_of(read_migrations())))
    newest_seal, apps = await select_newest_seal(database), await count_totp_by_key(database)
    if newest_seal or apps:  # else no key is needed, and none is made
        try:
            keys = derive_keys(secret_keys(settings))
        except SetUpError as error:
            yield Finding("secret keys", "wrong", *str(error).split(": ", 1))
        else:
            if newest_seal:
                yield checks.check_secret_keys(newest_seal, keys)
            if apps:
                yield checks.check_authenticators(apps, keys)
    yield check_passkeys(await count_passkeys_by_host(database), settings)
    yield checks.check_surroundings(await select_lacks(database))
    for finding in checks.check_partitions(await select_partition_facts(database)):
        yield finding
    yield checks.check_outbox(await select_outbox_facts(database), settings)


def _remedy(error: StoreUnavailableError | StatementRefusedError, settings: Settings) -> str:
    """settings: a login of its own needs what the owner grants; the owner itself has everything."""
    if getattr(error, "sqlstate", "") == "42501" and settings.migration_database_url is None:
        return (
            "set ROVITRACKER_MIGRATION_DATABASE_URL to the owner's DSN and run `rovitracker migrate up`, "
            "or correct the login in ROVITRACKER_DATABASE_URL"
        )
    return SET_UP.get(getattr(error, "sqlstate", ""), "correct ROVITRACKER_DATABASE_URL")


async def _check_mail(server: MailServer) -> Finding:
    """Greet the server, secure the line and sign in, but send nothing."""
    line = Line(server)
    answer = await line.check()
    await line.close()
    return checks.check_mail_server(server, answer)
