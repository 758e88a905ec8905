"""Settings: the only reader of the environment, `.env` and the secrets directory."""

import os
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.randomness import SHORTEST, is_random
from app.refused import SetUpError
from app.setting_kinds import (
    Brief,
    DatabaseUrl,
    Duration,
    NetworkList,
    Origin,
    Port,
    RedisUrl,
    SecretList,
    SmtpUrl,
    parse_duration,
)

PREFIX = "ROVITRACKER_"
SECRETS_DIR = Path("/run/secrets")  # where container engines mount theirs
CHECKOUT = Path(__file__).parent.parent


class SettingsError(SetUpError):
    """What is wrong with the settings, a line each, and what to set instead."""


def _duration(text: str) -> timedelta:
    return timedelta(seconds=parse_duration(text).total_seconds())


class Settings(BaseSettings):
    """Everything that can be set, with its default. Field descriptions are the README's settings table."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",
        validate_default=False,
        # Compose files hand on what nobody set as an empty text.
        env_ignore_empty=True,
    )

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
    redis_url: RedisUrl | None = Field(
        None, description="Valkey's address: `redis://`, `rediss://` or `unix://`"
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
        description="server of outgoing mail: `smtps://user:password@host:465`, or `smtp://` with STARTTLS",
    )
    mail_from: str | None = Field(None, description="sender of outgoing mail")
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
    asgi_front: bool = Field(
        True,
        description="whether token and introspection requests bypass the web framework; the answers are the same",
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
    signing_key_lead: Duration = Field(
        _duration("10m"),
        description="how long a new signing key is published before it signs; verifiers may keep the published keys for half of that",
    )
    limit_database_connections: int = Field(
        8,
        ge=2,
        le=1000,
        description="PostgreSQL connections of one process, without those that its gathered statements hold",
    )
    limit_redis_connections: int = Field(16, ge=1, le=10_000, description="Valkey connections of one process")
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
    limit_password_checks: int = Field(
        2,
        ge=1,
        le=64,
        description="passwords that one process hashes at once; eight times as many may wait, half of them from one address",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is pydantic-settings' own
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flag, environment, secrets directory, `.env`; the first that has a value wins."""
        return init_settings, env_settings, file_secret_settings, dotenv_settings

    @property
    def embedded(self) -> bool:
        """Whether the private PostgreSQL and Valkey are used."""
        return self.database_url is None and self.redis_url is None

    @property
    def development(self) -> bool:
        return self.environment == "development" or (self.environment is None and self.embedded)

    @property
    def issuer(self) -> str:
        """The origin that stands in every absolute link; never derived from a request."""
        return self.public_url or f"http://localhost:{self.port}"

    @model_validator(mode="after")
    def _check_stores(self) -> "Settings":
        if (self.database_url is None) != (self.redis_url is None):
            missing, present = (
                ("REDIS_URL", "DATABASE_URL") if self.database_url else ("DATABASE_URL", "REDIS_URL")
            )
            raise ValueError(
                f"{PREFIX}{present} is set but {PREFIX}{missing} is not: set both, or neither for the private servers"
            )
        if self.direct_database_url and _same(
            self.migration_database_url or self.database_url, self.database_url
        ):
            raise ValueError(
                f"{PREFIX}DIRECT_DATABASE_URL is set, so {PREFIX}DATABASE_URL goes through a pooler, where SET ROLE would leak: "
                f"set {PREFIX}MIGRATION_DATABASE_URL to the owner's DSN and {PREFIX}DATABASE_URL to the service's own login"
            )
        return self

    @model_validator(mode="after")
    def _check_production(self) -> "Settings":
        if self.development:
            return self
        wrong = []
        if not self.issuer.startswith("https://"):
            wrong.append(f"{PREFIX}PUBLIC_URL must be an https origin, such as https://auth.example.com")
        if not self.secret_keys:
            wrong.append(f"{PREFIX}SECRET_KEYS is missing: set it to the output of `openssl rand -hex 32`")
        if not all(is_random(key.get_secret_value()) for key in self.secret_keys):
            wrong.append(
                f"{PREFIX}SECRET_KEYS holds a weak key: each needs {SHORTEST} random characters or more, no words and no patterns (`openssl rand -hex 32`)"
            )
        if self.smtp_url and _mail_in_clear(self.smtp_url.get_secret_value()):
            wrong.append(f"{PREFIX}SMTP_URL must use TLS: smtps://, or smtp:// with ?starttls=required")
        if wrong:
            raise ValueError(
                "; ".join(wrong) + f" (or set {PREFIX}ENVIRONMENT=development on a machine of your own)"
            )
        return self


def load_settings(**overrides: Any) -> Settings:
    """Settings in force: overrides (command-line flags), then environment, secrets directory, `.env`, defaults."""
    named = {name.upper(): value for name, value in {**dotenv_values(".env"), **os.environ}.items()}
    secrets_dir = _find_secrets_dir(named.get(PREFIX + "SECRETS_DIR"))
    check_names([*named, *(file.name for file in secrets_dir.iterdir())] if secrets_dir else named)
    try:
        return Settings(
            _env_file=".env",  # type: ignore[call-arg]  # pydantic-settings declares its own arguments at run time
            _secrets_dir=secrets_dir,
            **{name: value for name, value in overrides.items() if value is not None},
        )
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(problem) for problem in error.errors())) from None


def _find_secrets_dir(named: str | None) -> Path | None:
    if not named:
        return SECRETS_DIR if SECRETS_DIR.is_dir() else None
    if not Path(named).is_dir():
        raise SettingsError(f"{PREFIX}SECRETS_DIR: {named} is not a folder")
    return Path(named)


def export_settings(**overrides: Any) -> None:
    """Hand command-line flags on to the worker processes, which read the environment as this one did."""
    export_environment(
        {PREFIX + name.upper(): str(value) for name, value in overrides.items() if value is not None}
    )


def export_environment(variables: Mapping[str, str]) -> None:
    os.environ.update(variables)


def check_names(names: Iterable[str]) -> None:
    """Refuse a misspelt setting instead of silently using its default."""
    known = [name.upper() for name in Settings.model_fields]
    for name in names:
        setting = name.upper()
        if setting.startswith(PREFIX) and setting.removeprefix(PREFIX) not in known:
            nearest = get_close_matches(setting.removeprefix(PREFIX), known, n=1)
            if nearest:
                raise SettingsError(f"{name} is not a setting; did you mean {PREFIX}{nearest[0]}?")
            raise SettingsError(f"{name} is not a setting", code="unknown_setting")


def _explain(problem: Any) -> str:
    text = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:
        return text
    name = str(problem["loc"][0])
    if problem["type"] == "literal_error":
        text = _nearest_choice(str(problem["input"]), text)
    # Any other value stays out of the message: it may be a secret.
    return f"{PREFIX}{name.upper()}: {text}"


def _nearest_choice(value: str, refused: str) -> str:
    """refused: pydantic's sentence, which holds the choices in quotes."""
    choices = re.findall(r"'(\w+)'", refused)
    nearest = get_close_matches(value.lower(), choices, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"{value!r} is none of {', '.join(choices)}{hint}"


def _same(one: SecretStr | None, other: SecretStr | None) -> bool:
    return one is not None and other is not None and one.get_secret_value() == other.get_secret_value()


def _mail_in_clear(url: str) -> bool:
    return not (url.startswith("smtps://") or "starttls=required" in url)
