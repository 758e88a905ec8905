"""Everything that can be set, by subject, with its default. Descriptions are the README's settings table."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from app.setting_addresses import DatabaseUrl, RedisUrl, SmtpUrl
from app.setting_kinds import (
    Brief,
    Duration,
    Instant,
    MailAddress,
    NetworkList,
    Origin,
    Port,
    SecretList,
    Sender,
    parse_duration,
)


def _duration(text: str) -> timedelta:
    return timedelta(seconds=parse_duration(text).total_seconds())


class ServiceSettings(BaseModel):
    """Its stores, its addresses, and how its processes run."""

    database_url: DatabaseUrl | None = Field(
        None,
        description="PostgreSQL DSN for the service's role; several hosts are allowed. Private servers start when neither this nor "
        "`REDIS_URL` is set",
    )
    migration_database_url: DatabaseUrl | None = Field(
        None,
        description="the owner's DSN. The default is `DATABASE_URL`; every connection then does `SET ROLE rovitracker_service`",
    )
    direct_database_url: DatabaseUrl | None = Field(
        None, description="DSN of PostgreSQL itself, where `DATABASE_URL` goes through a pooler"
    )
    distributed: Literal["citus"] | None = Field(
        None,
        description="`citus` where the tables of tokens are spread over several PostgreSQL servers by Citus; `rovitracker migrate "
        "distribute` spreads them",
    )
    redis_url: RedisUrl | None = Field(
        None,
        description="Valkey's address: `redis://`, `rediss://` or `unix://`; for several servers `redis+sentinel://` or "
        "`redis+cluster://`, with `rediss` for TLS",
    )
    public_url: Origin | None = Field(
        None,
        description="origin without a path: the issuer, and the base of every absolute link. The default is `http://localhost:{PORT}`",
    )
    secret_keys: SecretList = Field(
        (),
        description="secret keys, comma-separated; the first seals, and all open. In development one is made once, in the data directory",
    )
    environment: Literal["development", "production"] | None = Field(
        None,
        description="`development` or `production`. The default is `development` with the private servers, else `production`",
    )
    smtp_url: SmtpUrl | None = Field(
        None,
        description="server of outgoing mail: `smtps://user:password@host:465`, or `smtp://user:password@host:587?starttls=required`. "
        "Without it mail waits; in development it is kept as files",
    )
    mail_from: Sender | None = Field(
        None,
        description="sender of outgoing mail, such as `Example <no-reply@example.com>`; needed with `SMTP_URL`",
    )
    support_email: MailAddress | None = Field(
        None,
        description="address of the operators, such as `abuse@example.com`: what customers report about an application goes there. "
        "Without it their page says to call RoviTracker",
    )
    mail_tokens: bool = Field(
        False,
        description="whether a token of the manual route is sent inside the mail to the application's owner, where whoever reads the "
        "mail has it; else the mail holds a link to a page",
    )
    trusted_proxies: NetworkList = Field(
        (),
        description="addresses or networks of proxies, comma-separated. Only their `X-Forwarded-For` and `X-Forwarded-Proto` are believed",
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: Port = Field(8000, description="port to listen on")
    workers: int = Field(1, ge=1, le=256, description="processes that serve")
    management_port: Port | None = Field(None, description="port of `/metrics`")
    shutdown_delay: Brief = Field(
        timedelta(0),
        description="how long a stopping service still takes connections while `/health/ready` is 503, so that a load "
        "balancer notices; at most `1m`",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="`debug`, `info`, `warning` or `error`"
    )
    log_format: Literal["json", "text"] = Field(
        "json",
        description="`json`: a line for each request and event, for programs. `text`: a line for each refusal with its "
        "reference, for a person who watches; the demo's default",
    )
    asgi_front: bool = Field(
        True,
        description="whether token, introspection and AEMP requests bypass the web framework; the answers are the same",
    )
    token_cache: bool = Field(
        True,
        description="whether processes remember live tokens; a revoked token is refused within a second either way",
    )
    data_dir: Path | None = Field(
        None, description="folder of the private servers, the demo and the development key"
    )
    secrets_dir: Path | None = Field(
        None,
        description="folder of files that are named like settings and hold their values. The default is `/run/secrets` where it exists",
    )


class LifetimeSettings(BaseModel):
    """How long codes, tokens, sign-ins and keys last."""

    code_lifetime: Duration = Field(_duration("60s"), description="an authorization code, from the approval")
    strict_access_lifetime: Duration = Field(
        _duration("1h"), description="an access token of a strict application"
    )
    refresh_idle: Duration = Field(_duration("30d"), description="a refresh token, from its last use")
    refresh_absolute: Duration = Field(
        _duration("1y"), description="a refresh token's family, from the approval"
    )
    refresh_grace: Brief = Field(
        timedelta(0),
        description="how long a spent refresh token may be used once more, because its answer may have been lost; later use "
        "ends its family; at most `1m`",
    )
    classic_idle: Duration = Field(_duration("365d"), description="a classic access token, from its last use")
    classic_absolute: Duration = Field(_duration("3y"), description="a classic access token, from its issue")
    session_idle: Duration = Field(_duration("12h"), description="a sign-in, from the last page")
    session_absolute: Duration = Field(_duration("7d"), description="a sign-in, from the password")
    session_flow: Duration = Field(_duration("30m"), description="an unfinished sign-in or consent page")
    known_browser: Duration = Field(
        _duration("365d"),
        description="how long a browser stays known after a sign-in; there its owner can sign in while others guess the password",
    )
    legacy_tokens_until: Instant | None = Field(
        None,
        description="when tokens of a former system end that `token import` brought: a date, which counts whole in UTC, or an instant "
        "such as `2027-03-31T18:00:00+02:00`. They are refused from then on, and where this is not set",
    )
    signing_key_lead: Duration = Field(
        _duration("10m"),
        description="how long a new signing key is published before it signs; verifiers may keep the published keys for half of that",
    )


class LimitSettings(BaseModel):
    """How much one process holds, and how often somebody may try."""

    limit_database_connections: int = Field(
        8,
        ge=2,
        le=1000,
        description="PostgreSQL connections of one process, without those that its gathered statements hold",
    )
    limit_redis_connections: int = Field(
        16,
        ge=1,
        le=10_000,
        description="Valkey connections of one process to one server, which needs one, and more only while connections fail",
    )
    limit_queue: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="requests of one process that may wait for a store; more are answered 503",
    )
    limit_queue_wait: Duration = Field(
        _duration("500ms"),
        description="how long a request may wait for its turn at a store; after that it is answered 503",
    )
    limit_cached_tokens: int = Field(
        20_000, ge=1, le=10_000_000, description="live tokens that one process remembers, about 2 KB each"
    )
    limit_page_memory: int = Field(
        64 * 1024 * 1024,
        ge=0,
        le=16 * 1024**3,
        description="bytes of finished fleet pages that one process remembers; 0 remembers none",
    )
    limit_failures: int = Field(
        60,
        ge=1,
        le=1_000_000,
        description="failed attempts a minute and process before a caller is slowed down or gets 429: forged tokens, unknown "
        "applications, wrong secrets and assertions, and made-up codes of public applications. They are counted for each address, "
        "for each introspecting application, and for each application and address. An IPv6 address counts as its /64; a /56 has four times as many, a /48 sixteen times",
    )
    limit_reads: int = Field(
        10_000,
        ge=1,
        le=10_000_000,
        description="AEMP API requests a minute and process for one application's connection to one customer; more are answered 429",
    )
    limit_connections: int = Field(
        10_000,
        ge=16,
        le=1_000_000,
        description="client connections that one process holds open, as far as its limit of open files allows; more are answered 503",
    )
    limit_connections_per_address: int = Field(
        2_000,
        ge=1,
        le=1_000_000,
        description="connections that one address (IPv6: a /64) holds open to one process; more are answered 429. It is three "
        "quarters of `LIMIT_CONNECTIONS` at most. Connections of `TRUSTED_PROXIES` are not counted",
    )
    limit_guesses_per_account: int = Field(
        10,
        ge=1,
        le=1_000_000,
        description="wrong passwords in 15 minutes for one account in unknown browsers, and in each browser that knows it; more are answered "
        "429. All processes count together",
    )
    limit_guesses_per_address: int = Field(
        50,
        ge=1,
        le=1_000_000,
        description="wrong passwords in 15 minutes from one address; more are answered 429. All processes count together. "
        "An IPv6 address counts as its /64; a /56 has four times as many, a /48 sixteen times",
    )
    limit_mails_per_recipient: int = Field(
        10,
        ge=1,
        le=1_000_000,
        description="mails of one kind a day to one address; more are left out. All processes count together",
    )
    limit_mails_per_sender: int = Field(
        50,
        ge=1,
        le=1_000_000,
        description="mails a day that one address may cause; more are left out. An IPv6 address counts as its /64; "
        "a /56 has four times as many, a /48 sixteen times",
    )
    limit_mails: int = Field(
        5_000,
        ge=1,
        le=10_000_000,
        description="mails a day that strangers may cause in all; more are left out. Notices of what happened are not counted",
    )
    limit_password_checks: int = Field(
        2,
        ge=1,
        le=64,
        description="passwords that one process hashes at once, beside one of somebody who guessed; eight times as many may "
        "wait in each of three lanes, half of them from one address",
    )
