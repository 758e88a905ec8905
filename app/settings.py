"""Settings: the only reader of the environment, `.env` and the secrets directory."""

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.mail.server import MailServer, parse_smtp_url
from app.randomness import SHORTEST, is_random
from app.setting_groups import LifetimeSettings, LimitSettings, ServiceSettings
from app.setting_sources import (
    PREFIX,
    SECRETS_DIR,
    SettingsError,
    Text,
    read_env_file,
    read_environment,
    read_secret_files,
    told_place,
)

__all__ = ["CHECKOUT", "PREFIX", "SECRETS_DIR", "Settings", "SettingsError", "load_settings"]

CHECKOUT = Path(__file__).parent.parent
_OF_THE_DRIVER = {
    f"PG{name}"
    for name in (
        *(
            "HOST",
            "PORT",
            "USER",
            "PASSWORD",
            "PASSFILE",
            "DATABASE",
            "TARGETSESSIONATTRS",
            "KRBSRVNAME",
            "GSSLIB",
        ),
        *("SSLMODE", "SSLNEGOTIATION", "SSLROOTCERT", "SSLCERT", "SSLKEY", "SSLCRL"),
        *("SSLMINPROTOCOLVERSION", "SSLMAXPROTOCOLVERSION"),
    )
}


class Settings(LimitSettings, LifetimeSettings, ServiceSettings, BaseSettings):
    """All of them together; pydantic puts the fields of the last group first."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", validate_default=False)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is pydantic-settings' own
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic passes it
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic passes it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic passes it
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing by itself: its own readers pass over what they cannot read."""
        return (init_settings,)

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

    @property
    def mail_server(self) -> MailServer | None:
        return parse_smtp_url(self.smtp_url.get_secret_value()) if self.smtp_url else None

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
    def _check_distributed(self) -> "Settings":
        if (
            self.distributed
            and self.migration_database_url
            and _same(self.migration_database_url, self.database_url)
        ):
            raise ValueError(
                f"{PREFIX}DISTRIBUTED is set, and Citus reaches its workers by the name of the role at work, which SET ROLE makes one that "
                f"cannot log in: set {PREFIX}MIGRATION_DATABASE_URL to the owner's DSN and {PREFIX}DATABASE_URL to the service's own login"
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
        if self.mail_server and self.mail_server.tls == "offered":
            wrong.append(f"{PREFIX}SMTP_URL must use TLS: smtps://, or smtp:// with ?starttls=required")
        if wrong:
            raise ValueError(
                "; ".join(wrong) + f" (or set {PREFIX}ENVIRONMENT=development on a machine of your own)"
            )
        return self

    @model_validator(mode="after")
    def _check_mail(self) -> "Settings":
        if self.smtp_url and not self.mail_from:
            raise ValueError(
                f"{PREFIX}SMTP_URL is set but {PREFIX}MAIL_FROM is not: set it to the sender, such as Example <no-reply@example.com>"
            )
        return self


def load_settings(**overrides: Any) -> Settings:
    """Settings in force: overrides (command-line flags), then environment, secrets directory, `.env`, defaults.

    Raises SettingsError when one is misspelt, refused, or there and unreadable.
    """
    texts = _texts_in_force()
    values: dict[str, Any] = {name.removeprefix(PREFIX).lower(): text.value for name, text in texts.items()}
    values |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(problem, texts) for problem in error.errors())) from None


def _texts_in_force() -> dict[str, Text]:
    """By the setting's full name; the first source that has one wins."""
    from_environment = read_environment(os.environ)
    from_env_file = read_env_file(Path(".env"), os.environ)
    near = {text.setting: text for text in (*from_env_file, *from_environment) if text.value}
    folder = _find_secrets_dir(near.get(PREFIX + "SECRETS_DIR"))
    from_files = read_secret_files(folder) if folder else []
    found = (*from_env_file, *from_files, *from_environment)
    check_names(text.name for text in found)
    return {text.setting: text for text in found if text.value}


def _find_secrets_dir(named: Text | None) -> Path | None:
    if named is None:
        return SECRETS_DIR if SECRETS_DIR.is_dir() else None
    if not Path(named.value).is_dir():
        raise SettingsError(f"{PREFIX}SECRETS_DIR: {named.value} is not a folder")
    return Path(named.value)


def variables_of_the_driver() -> tuple[str, ...]:
    """The names in the environment from which the driver of PostgreSQL takes what a DSN leaves out."""
    return tuple(sorted(name for name in os.environ if name in _OF_THE_DRIVER))


def export_settings(**overrides: Any) -> None:
    """Hand command-line flags on to the worker processes, which read the environment as this one did."""
    export_environment(
        {PREFIX + name.upper(): str(value) for name, value in overrides.items() if value is not None}
    )


def export_environment(variables: Mapping[str, str]) -> None:
    os.environ.update(variables)


def check_names(names: Iterable[str]) -> None:
    """Refuse a misspelt setting instead of silently using its default. Raises SettingsError when there is one."""
    known = [name.upper() for name in Settings.model_fields]
    for name in names:
        setting = name.upper()
        if setting.startswith(PREFIX) and setting.removeprefix(PREFIX) not in known:
            nearest = get_close_matches(setting.removeprefix(PREFIX), known, n=1)
            if nearest:
                raise SettingsError(f"{name} is not a setting; did you mean {PREFIX}{nearest[0]}?")
            raise SettingsError(f"{name} is not a setting", code="unknown_setting")


def _explain(problem: Any, texts: Mapping[str, Text]) -> str:
    text = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:
        return text
    name = str(problem["loc"][0])
    if problem["type"] == "literal_error":
        text = _nearest_choice(str(problem["input"]), text)
    # Any other value stays out of the message: it may be a secret.
    setting = PREFIX + name.upper()
    return f"{setting}{told_place(texts.get(setting))}: {text}"


def _nearest_choice(value: str, refused: str) -> str:
    """refused: pydantic's sentence, which holds the choices in quotes."""
    choices = re.findall(r"'(\w+)'", refused)
    nearest = get_close_matches(value.lower(), choices, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"{value!r} is none of {', '.join(choices)}{hint}"


def _same(one: SecretStr | None, other: SecretStr | None) -> bool:
    return one is not None and other is not None and one.get_secret_value() == other.get_secret_value()
