"""`doctor` judges the facts: each finding names the state, whether it is good, and what to do."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from app.cli.distribution import unfit_distribution
from app.door.descriptors import most_connections
from app.mail.server import MailServer
from app.mail.transport import Answer
from app.oauth.keys import Keys
from app.settings import Settings
from app.storage.distributed.placement import DistributionFacts
from app.storage.mail.outbox import OutboxFacts
from app.storage.postgres.database import MOST_HELD
from app.storage.schema.diagnosis import DatabaseFacts, PartitionFacts
from app.storage.schema.ground import Ground, unfit
from app.storage.schema.migrations import MigrationState
from app.storage.schema.requirements import OLDEST_POSTGRES, TOO_OLD
from app.storage.schema.rights import Right
from app.storage.schema.surroundings import Lack
from app.stores import data_dir, files_of

Verdict = Literal["ok", "warning", "wrong"]

_CLOCKS_APART = timedelta(seconds=2)
_CLOCKS_WRONG = timedelta(seconds=60)
_STEPS_AHEAD = 2
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. todo: empty where there is nothing to do."""

    check: str
    verdict: Verdict
    found: str
    todo: str = ""


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Judge settings that can be read and still be a mistake; wrong ones are refused at every start."""
    yield _check_kind(settings)
    if settings.smtp_url is None and not settings.development:
        yield Finding(
            "mail",
            "warning",
            "no mail server, so every mail waits and is given up after three days",
            "set ROVITRACKER_SMTP_URL and ROVITRACKER_MAIL_FROM",
        )
    if settings.mail_tokens:
        yield Finding(
            "mail",
            "warning",
            "mails hold the tokens of the manual route, so whoever reads such a mail has one",
            "take ROVITRACKER_MAIL_TOKENS away: the mails hold a link to a page then",
        )
    if settings.support_email is None and not settings.development:
        yield Finding(
            "reports",
            "warning",
            "no address that takes customers' reports about applications",
            "set ROVITRACKER_SUPPORT_EMAIL to a mailbox that somebody reads",
        )


def _check_kind(settings: Settings) -> Finding:
    kind = "development" if settings.development else "production"
    if settings.development and settings.host not in ("127.0.0.1", "::1", "localhost"):
        return Finding(
            "settings",
            "warning",
            f"{kind}, yet listening on {settings.host}",
            "set ROVITRACKER_ENVIRONMENT=production where others can reach it",
        )
    if not settings.development and settings.embedded:
        return Finding(
            "settings",
            "warning",
            f"{kind} on the private servers",
            "set ROVITRACKER_DATABASE_URL and ROVITRACKER_REDIS_URL to servers that are backed up",
        )
    return Finding("settings", "ok", f"{kind}, issuer {settings.issuer}")


def check_environment(names: tuple[str, ...], settings: Settings) -> Iterator[Finding]:
    """names: variables from which the driver takes what a DSN leaves out. The private servers' DSN leaves nothing out."""
    if names and not settings.embedded:
        yield Finding(
            "environment",
            "warning",
            f"{', '.join(names)} fill in what ROVITRACKER_DATABASE_URL leaves out",
            "write the DSN whole, or unset them, so that no other server is asked",
        )


def check_data_dir(settings: Settings) -> Finding:
    folder = data_dir(settings)
    private = (*files_of(folder), folder / "embedded")
    open_to_others = [path for path in private if path.exists() and path.stat().st_mode & _OTHERS]
    if open_to_others:
        names = " ".join(str(path) for path in open_to_others)
        return Finding("data directory", "wrong", f"open to others: {names}", f"chmod go= {names}")
    if not settings.embedded and settings.secret_keys:
        return Finding("data directory", "ok", "not used: stores and keys are elsewhere")
    if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
        return Finding("data directory", "wrong", f"{folder} cannot be written", _owner_todo(folder))
    return Finding("data directory", "ok", str(folder))


def _owner_todo(folder: Path) -> str:
    return f"run as user {folder.stat().st_uid}, whose it is ({stat.filemode(folder.stat().st_mode)})"


def check_files(limit: int, settings: Settings, *, connections: int) -> Finding:
    """limit: the hard one, up to which the service raises its own. connections: how many clients' it may hold."""
    stores = settings.limit_database_connections + settings.limit_redis_connections
    fit = most_connections(limit, stores=stores)
    found = f"{limit} open files a process, enough for {fit} of {connections} connections"
    if fit >= connections:
        return Finding("file descriptors", "ok", found)
    need = connections + limit - fit
    todo = f"ulimit -n {need}, in systemd LimitNOFILE={need}, with docker --ulimit nofile={need}"
    return Finding("file descriptors", "warning" if fit else "wrong", found, todo)


def check_schema(states: tuple[MigrationState, ...]) -> Finding:
    pending = [state.migration.name for state in states if state.applied_at is None]
    if pending:
        found = f"{len(pending)} of {len(states)} migrations pending, first {pending[0]}"
        return Finding("schema", "wrong", found, "rovitracker migrate up")
    return Finding("schema", "ok", f"all {len(states)} migrations applied")


def check_database(facts: DatabaseFacts, settings: Settings) -> Iterator[Finding]:
    if facts.version_number < OLDEST_POSTGRES:
        yield Finding("PostgreSQL", "wrong", facts.version, TOO_OLD)
    else:
        yield Finding("PostgreSQL", "ok", facts.version)
    yield check_durability(facts)
    yield check_connections(
        "PostgreSQL connections",
        facts.connections,
        settings.limit_database_connections + MOST_HELD + 1,  # one listens
        settings.workers,
    )


def check_durability(facts: DatabaseFacts) -> Finding:
    """synchronous_commit is the service's own word, in each of its sessions."""
    if facts.fsync:
        return Finding("durability", "ok", "fsync is on, and every session waits for its commits")
    return Finding(
        "durability",
        "warning",
        "fsync is off: a power cut may lose answered tokens, or the whole database",
        "set fsync = on, unless the provider keeps other copies of every commit",
    )


def check_ground(ground: Ground) -> Finding:
    if reason := unfit(ground):
        found, _, todo = reason.partition(": ")
        return Finding("database", "wrong", found, todo)
    return Finding("database", "ok", "UTF-8, and its names lead to the schema public")


def check_distribution(facts: DistributionFacts, settings: Settings) -> Finding | None:
    """Judge whether the setting fits the schema; None where neither knows of Citus."""
    if reason := unfit_distribution(facts, wanted=settings.distributed == "citus"):
        found, _, todo = reason.partition(": ")
        return Finding("distribution", "wrong", found, todo)
    if facts.spread != "whole":
        return None
    return Finding("distribution", "ok", f"the tables of tokens are distributed by Citus {facts.version}")


def check_grants(missing: tuple[Right, ...]) -> Finding:
    if missing:
        more = f" (and more, {len(missing)} in all)" if len(missing) > 1 else ""
        return Finding("grants", "wrong", f"{missing[0]}{more}", "rovitracker migrate up")
    return Finding("grants", "ok", "the service has every right that the schema grants it")


def check_rights(excessive: tuple[str, ...]) -> Finding:
    if excessive:
        return Finding(
            "service role",
            "wrong",
            f"it {', '.join(excessive)}",
            "give the service a login that is only granted rovitracker_service",
        )
    return Finding("service role", "ok", "owns nothing, no superuser, bound to row-level security")


def check_surroundings(lacks: tuple[Lack, ...]) -> Finding:
    """Judge what no dump holds, so that a restore by the book is found to be complete or not."""
    if lacks:
        first = lacks[0]
        return Finding(
            "rights", "wrong", first.lack, f"rovitracker migrate up; else the owner runs {first.remedy}"
        )
    return Finding("rights", "ok", "roles, memberships and the database's grants are there")


def check_secret_keys(newest_seal: str, keys: Keys) -> Finding:
    """Judge by the newest signing key whether other instances have the same keys. newest_seal: the name of its key."""
    if newest_seal in keys.code_keys:
        return Finding("secret keys", "ok", "the newest signing key can be opened")
    found = "the newest signing key is sealed with a secret key that is not here"
    todo = (
        "give every instance the same ROVITRACKER_SECRET_KEYS: elsewhere, codes of this one cannot be redeemed. "
        "If that key is lost, run rovitracker key rotate --at-once"
    )
    return Finding("secret keys", "wrong", found, todo)


def check_authenticators(apps: Mapping[str, int], keys: Keys) -> Finding:
    """Judge by which secret key the secrets of authenticator apps are sealed. apps: how many, by the key's name."""
    check = "authenticator apps"
    lost = sum(count for key, count in apps.items() if key not in keys.code_keys)
    older = sum(count for key, count in apps.items() if key != keys.code_key_name) - lost
    if lost:
        todo = "put it back, last in ROVITRACKER_SECRET_KEYS, or reset the second factors of their owners"
        return Finding(check, "wrong", f"{lost} sealed with a secret key that is not here", todo)
    if older:
        todo = "keep that key until rovitracker maintain has sealed them again"
        return Finding(check, "warning", f"{older} sealed with an older secret key", todo)
    return Finding(check, "ok", f"{sum(apps.values())}, sealed with the first secret key")


def check_partitions(facts: tuple[PartitionFacts, ...]) -> Iterator[Finding]:
    for each in facts:
        check = f"partitions of {each.name}"
        found = f"the present {each.step} and {max(each.ahead - 1, 0)} to come"
        if each.ahead == 0:
            yield Finding(check, "wrong", f"none for the present {each.step}", "rovitracker maintain")
        elif each.ahead < _STEPS_AHEAD or each.pending:
            detach = ", and a detach was interrupted" if each.pending else ""
            yield Finding(check, "warning", found + detach, "rovitracker maintain")
        else:
            yield Finding(check, "ok", found)


def check_mail_server(server: MailServer, answer: Answer) -> Finding:
    secured = {"implicit": "by TLS", "required": "by STARTTLS", "offered": "by STARTTLS where it is offered"}
    found = f"{server.shown}, secured {secured[server.tls]}: {answer.reply}"
    if answer.outcome == "sent":
        return Finding("mail", "ok", found)
    return Finding("mail", "wrong", found, "start it, or correct ROVITRACKER_SMTP_URL")


def check_outbox(facts: OutboxFacts, settings: Settings) -> Finding:
    since = f", the oldest since {facts.oldest_at:%Y-%m-%d %H:%M} UTC" if facts.oldest_at else ""
    found = f"{facts.waiting} waiting{since if facts.waiting else ''}, {facts.refused} refused or given up in a day"
    if facts.waiting or facts.refused:
        kept = settings.smtp_url is None and settings.development
        return Finding(
            "outbox", "warning", found, "start the service" if kept else "rovitracker mail list says why"
        )
    return Finding("outbox", "ok", found)


def check_clock(store: str, theirs: datetime, before: datetime, after: datetime) -> Finding:
    """Compare their clock with ours, read before and after, since the way to them takes time too."""
    apart = max(before - theirs, theirs - after, timedelta(0))
    check, found = f"clock of {store}", f"{apart.total_seconds():.1f} s apart from this machine's"
    if apart <= _CLOCKS_APART:
        return Finding(check, "ok", found)
    verdict: Verdict = "wrong" if apart > _CLOCKS_WRONG else "warning"
    return Finding(check, verdict, found, "synchronise both machines, by NTP for example")


def check_connections(check: str, allowed: int, per_worker: int, workers: int) -> Finding:
    found = f"{workers} worker(s) may open {workers * per_worker} of {allowed}"
    if workers * per_worker > allowed:
        return Finding(
            check,
            "wrong",
            found,
            "fewer workers, a lower ROVITRACKER_LIMIT_*_CONNECTIONS, or a larger server limit",
        )
    return Finding(check, "ok", found)
