"""Settings: the only reader of the environment, `.env` and the secrets directory."""

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.randomness import SHORTEST, is_random
from app.refused import SetUpError
from app.setting_groups import LifetimeSettings, LimitSettings, ServiceSettings

PREFIX = "ROVITRACKER_"
SECRETS_DIR = Path("/run/secrets")  # where container engines mount theirs
CHECKOUT = Path(__file__).parent.parent


class SettingsError(SetUpError):
    """What is wrong with the settings, a line each, and what to set instead."""


class Settings(LimitSettings, LifetimeSettings, ServiceSettings, BaseSettings):
    """All of them together; pydantic puts the fields of the last group first."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",
        validate_default=False,
        # Compose files hand on what nobody set as an empty text.
        env_ignore_empty=True,
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
    """Settings in force: overrides (command-line flags), then environment, secrets directory, `.env`, defaults.

    Raises SettingsError when one is misspelt or refused.
    """
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
    """Refuse a misspelt setting instead of silently using its default. Raises SettingsError when there is one."""
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
