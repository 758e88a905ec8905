"""Wrong set-ups, planted one at a time on servers that all of them share, and what `doctor` must say of each."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

PASSWORD = "examined-password"


@dataclass(frozen=True, slots=True)
class Ground:
    """Addresses as settings have them. login_url: of a login that is only granted the service's role."""

    database_url: str
    login_url: str
    empty_url: str
    other_encoding_url: str
    standby_url: str
    redis_url: str
    folder: Path

    def of(self, url: str, **others: str) -> dict[str, str]:
        return {"DATABASE_URL": url, "REDIS_URL": self.redis_url, "ENVIRONMENT": "development", **others}


@dataclass(frozen=True, slots=True)
class SetUp:
    """harm, mend: statements that the owner runs, about THIS_LOGIN and THIS_DATABASE. told: what is found and its remedy."""

    settings: Callable[[Ground], Mapping[str, str]]
    check: str
    told: tuple[str, ...]
    harm: str = ""
    mend: str = ""
    verdict: str = "wrong"
    prepare: Callable[[Ground], object] = lambda _: None


def _plain(**settings: str) -> Callable[[Ground], Mapping[str, str]]:
    return lambda _: settings


def _stores(**settings: str) -> Callable[[Ground], Mapping[str, str]]:
    return lambda ground: ground.of(ground.database_url, **settings)


def _login(ground: Ground) -> Mapping[str, str]:
    return ground.of(ground.login_url, MIGRATION_DATABASE_URL=ground.database_url)


def _instead(url: str, **parts: str) -> str:
    return urlunsplit(urlsplit(url)._replace(**parts))


def _wrong_password(ground: Ground) -> Mapping[str, str]:
    return ground.of(ground.login_url.replace(PASSWORD, "another"))


def _write_env_file(ground: Ground) -> None:
    (ground.folder / ".env").write_bytes("ROVITRACKER_PORT=1001\n".encode("utf-16"))


def _write_secret(ground: Ground) -> None:
    (ground.folder / "secrets").mkdir(exist_ok=True)
    (ground.folder / "secrets" / "rovitracker_redis_url").write_text("")


def _open_key(ground: Ground) -> None:
    file = ground.folder / "data" / "secret_key"
    file.parent.mkdir(exist_ok=True)
    file.write_text("x")
    file.chmod(0o644)


def _damage_record(ground: Ground) -> None:
    private = ground.folder / "damaged" / "embedded"
    private.mkdir(parents=True, mode=0o700)
    (private / "record.json").write_text("{}")


_AWAY = "postgresql://u:hidden@127.0.0.1:1/rovi"
_PRODUCTION = {
    "DATABASE_URL": _AWAY,
    "REDIS_URL": "redis://127.0.0.1:1",
    "PUBLIC_URL": "https://auth.example.com",
    "SECRET_KEYS": "d1ff" + "e9R4" * 4 + "0aZk2Lm8Qp3v",
}
_DETACH = """
DO $$ BEGIN
    EXECUTE format('ALTER TABLE audit_event DETACH PARTITION %I', to_char(clock_timestamp(), '"audit_event_"YYYYMM'));
    EXECUTE format('DROP TABLE %I', to_char(clock_timestamp(), '"audit_event_"YYYYMM'));
END $$"""

SET_UPS: dict[str, SetUp] = {
    "a misspelt setting": SetUp(_plain(PROT="1"), "settings", ("did you mean ROVITRACKER_PORT?",)),
    "a password with a #": SetUp(
        _plain(DATABASE_URL="postgresql://u:hid#den@db/x"),
        "settings",
        ("ROVITRACKER_DATABASE_URL", "percent-encode"),
    ),
    "a parameter that cannot be kept": SetUp(
        _plain(DATABASE_URL="postgresql://db/x?channel_binding=require"),
        "settings",
        ("channel_binding=require cannot be kept", "sslmode=verify-full"),
    ),
    "one store only": SetUp(
        _plain(DATABASE_URL=_AWAY), "settings", ("ROVITRACKER_REDIS_URL is not", "set both")
    ),
    "a pooler without an owner": SetUp(
        _stores(DIRECT_DATABASE_URL=_AWAY),
        "settings",
        ("SET ROLE would leak", "set ROVITRACKER_MIGRATION_DATABASE_URL"),
    ),
    "an http origin in production": SetUp(
        _plain(**(_PRODUCTION | {"PUBLIC_URL": "http://auth.example.com"})),
        "settings",
        ("must be an https origin", "ROVITRACKER_ENVIRONMENT=development"),
    ),
    "a weak key in production": SetUp(
        _plain(**(_PRODUCTION | {"SECRET_KEYS": "rovitracker-production-secret-key-one"})),
        "settings",
        ("holds a weak key", "openssl rand -hex 32"),
    ),
    "mail in clear in production": SetUp(
        _plain(**(_PRODUCTION | {"SMTP_URL": "smtp://mail:25"})), "settings", ("must use TLS", "smtps://")
    ),
    "a duration in words": SetUp(
        _plain(CODE_LIFETIME="a minute"), "settings", ("ROVITRACKER_CODE_LIFETIME", "60s or 30d")
    ),
    "proxies that are everybody": SetUp(
        _plain(TRUSTED_PROXIES="0.0.0.0/0"),
        "settings",
        ("is everybody", "write the addresses of your proxies"),
    ),
    "a .env in UTF-16": SetUp(
        _plain(), "settings", (".env is not UTF-8 text", "save it as UTF-8"), prepare=_write_env_file
    ),
    "an empty secret file": SetUp(
        lambda ground: {"SECRETS_DIR": str(ground.folder / "secrets")},
        "settings",
        ("rovitracker_redis_url is empty", "write the value into it"),
        prepare=_write_secret,
    ),
    "development for everybody": SetUp(
        _stores(HOST="0.0.0.0"),  # noqa: S104  # the mistake
        "settings",
        ("listening on 0.0.0.0", "ROVITRACKER_ENVIRONMENT=production"),
        verdict="warning",
    ),
    "foreign variables of PostgreSQL": SetUp(
        _stores(),
        "environment",
        ("PGPORT", "write the DSN whole, or unset them"),
        verdict="warning",
        prepare=lambda _: os.environ.update(PGPORT="6543"),
    ),
    "a key that others read": SetUp(
        lambda ground: ground.of(ground.database_url, DATA_DIR=str(ground.folder / "data")),
        "data directory",
        ("open to others", "chmod go="),
        prepare=_open_key,
    ),
    "a damaged record": SetUp(
        lambda ground: {"DATA_DIR": str(ground.folder / "damaged")},
        "private servers",
        ("record.json is damaged", "restore it from a backup"),
        prepare=_damage_record,
    ),
    "mail without a sender": SetUp(
        _stores(SMTP_URL="smtp://127.0.0.1:1"),
        "settings",
        ("set it to the sender",),
    ),
    "a mail server that is away": SetUp(
        _stores(SMTP_URL="smtp://127.0.0.1:1", MAIL_FROM="a@b.example"),
        "mail",
        ("127.0.0.1:1", "correct ROVITRACKER_SMTP_URL"),
    ),
    "a PostgreSQL that is away": SetUp(
        lambda ground: ground.of(_AWAY), "PostgreSQL", ("127.0.0.1:1", "start it, or correct the address")
    ),
    "a wrong password": SetUp(
        _wrong_password, "PostgreSQL", ("password authentication failed", "correct the address")
    ),
    "a database that is not there": SetUp(
        lambda ground: ground.of(_instead(ground.database_url, path="/nowhere")),
        "PostgreSQL",
        ('database "nowhere" does not exist', "correct the address"),
    ),
    "a standby": SetUp(
        lambda ground: ground.of(ground.standby_url),
        "PostgreSQL",
        ("takes no writes", "name the primary"),
    ),
    "a Valkey that is away": SetUp(
        lambda ground: ground.of(ground.database_url) | {"REDIS_URL": "redis://127.0.0.1:1"},
        "Valkey",
        ("127.0.0.1:1", "correct ROVITRACKER_REDIS_URL"),
    ),
    "a wrong password of Valkey": SetUp(
        lambda ground: (
            ground.of(ground.database_url) | {"REDIS_URL": _instead(ground.redis_url, netloc=":another@")}
        ),
        "Valkey",
        ("correct ROVITRACKER_REDIS_URL",),
    ),
    "a database that is not UTF-8": SetUp(
        lambda ground: ground.of(ground.other_encoding_url),
        "schema",
        ("has the encoding SQL_ASCII", "CREATE DATABASE ... ENCODING 'UTF8'"),
    ),
    "a login whose search path leads elsewhere": SetUp(
        _login,
        "database",
        ("leads to the schema elsewhere and not to public", "SET search_path = public"),
        harm="CREATE SCHEMA elsewhere; GRANT USAGE ON SCHEMA elsewhere TO PUBLIC; "
        "ALTER ROLE THIS_LOGIN IN DATABASE THIS_DATABASE SET search_path = elsewhere, public",
        mend="ALTER ROLE THIS_LOGIN IN DATABASE THIS_DATABASE RESET search_path; DROP SCHEMA elsewhere",
    ),
    "a schema that was never made": SetUp(
        lambda ground: ground.of(ground.empty_url), "schema", ("pending", "rovitracker migrate up")
    ),
    "a schema that is newer": SetUp(
        _stores(),
        "schema",
        ("newer than this version", "update the service"),
        harm="INSERT INTO schema_migration (number, name, digest) VALUES (9999, 'later', '')",
        mend="DELETE FROM schema_migration WHERE number = 9999",
    ),
    "a file that was changed": SetUp(
        _stores(),
        "schema",
        ("was changed after it had been applied", "restore the file"),
        harm="UPDATE schema_migration SET digest = digest || '\\x00' WHERE number = 2",
        mend="UPDATE schema_migration SET digest = substring(digest FROM 1 FOR 32) WHERE number = 2",
    ),
    "a login without the service's role": SetUp(
        lambda ground: ground.of(ground.login_url),
        "schema",
        ("permission denied", "set ROVITRACKER_MIGRATION_DATABASE_URL to the owner's DSN"),
        harm="REVOKE rovitracker_service FROM THIS_LOGIN",
        mend="GRANT rovitracker_service TO THIS_LOGIN WITH INHERIT TRUE, SET TRUE",
    ),
    "an owner as the service's login": SetUp(
        lambda ground: ground.of(
            ground.database_url, MIGRATION_DATABASE_URL=f"{ground.database_url}&application_name=x"
        ),
        "service role",
        ("owns tables", "only granted rovitracker_service"),
    ),
    "a restore without the database's rights": SetUp(
        _login,
        "rights",
        ("may not make temporary tables", "rovitracker migrate up"),
        harm="REVOKE TEMPORARY ON DATABASE THIS_DATABASE FROM PUBLIC, rovitracker_ingest",
        mend="GRANT TEMPORARY ON DATABASE THIS_DATABASE TO PUBLIC",
    ),
    "a grant that was taken away": SetUp(
        _login,
        "PostgreSQL",
        ("permission denied for table retention", "a grant is missing"),
        harm="REVOKE SELECT ON retention FROM rovitracker_service",
        mend="GRANT SELECT ON retention TO rovitracker_service",
    ),
    "tokens in mails": SetUp(
        _stores(MAIL_TOKENS="true"),
        "mail",
        ("whoever reads such a mail has one", "take ROVITRACKER_MAIL_TOKENS away"),
        verdict="warning",
    ),
    "a partition of today that is gone": SetUp(
        _stores(),
        "partitions of audit_event",
        ("none for the present month", "rovitracker maintain"),
        harm=_DETACH,
        mend="SELECT create_partitions()",
    ),
    "more connections than PostgreSQL takes": SetUp(
        _stores(WORKERS="200"),
        "PostgreSQL connections",
        ("200 worker(s)", "fewer workers"),
    ),
    "more connections than Valkey takes": SetUp(
        _stores(WORKERS="256", LIMIT_REDIS_CONNECTIONS="1000"),
        "Valkey connections",
        ("256 worker(s)", "fewer workers"),
    ),
}
