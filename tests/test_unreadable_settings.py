"""What is there and cannot be read stops the start, and names the setting and the remedy: never a default instead."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from app.demo import load_demo
from app.refused import SetUpError
from app.settings import Settings, SettingsError, load_settings
from app.stores import secret_keys

KEY = "K9f2" + "x7Qz" * 15


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def refusal() -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings()
    said = str(refused.value)
    assert "\n" not in said
    assert "hidden" not in said
    return said


DATABASE = "postgresql://u:hidden@db.example:5432/rovi"
VALUES = {
    "a password with #": ("DATABASE_URL", "postgresql://u:hid#den@db/x", "percent-encode"),
    "a password with /": ("DATABASE_URL", "postgresql://u:12/hidden@db/x", "%2F for /"),
    "a password with ?": ("DATABASE_URL", "postgresql://u:hid?den@db/x", "%3F for ?"),
    "a password with @": ("DATABASE_URL", "postgresql://u:hid@den@db/x", "%40 for @"),
    "a password with %": ("DATABASE_URL", "postgresql://u:100%hidden@db/x", "write %25"),
    "a key of Valkey with /": ("REDIS_URL", "redis://:hid/den@cache:6379/0", "percent-encode"),
    "a user of mail with @": ("SMTP_URL", "smtps://ann@x.example:hidden@mail:465", "%40 for @"),
    "a port of a second host": ("DATABASE_URL", "postgresql://u:hidden@a:5432,b:54x/x", "postgresql://"),
    "port 0": ("DATABASE_URL", "postgresql://u:hidden@a:0/x", "postgresql://"),
    "a port among the parameters": ("DATABASE_URL", DATABASE + "?port=54x", "port is a number"),
    "no parameters": ("DATABASE_URL", DATABASE + "?sslmode", "no list of name=value"),
    "an ssl mode": ("DATABASE_URL", DATABASE + "?sslmode=on", "sslmode is one of disable, allow"),
    "a kind of session": (
        "DATABASE_URL",
        DATABASE + "?target_session_attrs=rw",
        "target_session_attrs is one of",
    ),
    "a certificate": (
        "DATABASE_URL",
        DATABASE + "?sslrootcert=/none.pem",
        "sslrootcert: /none.pem cannot be read",
    ),
    "a channel to bind": ("DATABASE_URL", DATABASE + "?channel_binding=require", "sslmode=verify-full"),
    "how to bind": ("DATABASE_URL", DATABASE + "?channel_binding=yes", "channel_binding is one of"),
    "too little patience": ("DATABASE_URL", DATABASE + "?connect_timeout=1", "connect_timeout"),
    "no patience": ("DATABASE_URL", DATABASE + "?connect_timeout=10s", "connect_timeout"),
    "what only libpq knows": ("DATABASE_URL", DATABASE + "?hostaddr=10.0.0.1", "hostaddr is not supported"),
    "encryption by Kerberos": (
        "DATABASE_URL",
        DATABASE + "?gssencmode=disable",
        "gssencmode is not supported",
    ),
    "the owner's too": ("MIGRATION_DATABASE_URL", DATABASE + "?sslmode=on", "sslmode is one of"),
    "the direct one too": ("DIRECT_DATABASE_URL", DATABASE + "?sslmode=on", "sslmode is one of"),
    "a database of Valkey": ("REDIS_URL", "redis://:hidden@cache:6379/zero", "number of the database"),
    "a number that is none": ("REDIS_URL", "redis://:hidden@cache?db=x", "db is a number"),
    "a parameter of Valkey": ("REDIS_URL", "redis://:hidden@cache?timeout=100", "a parameter is one of db"),
    "two hosts of Valkey": ("REDIS_URL", "redis://a:6379,b:6379/0", "name one host"),
    "no host of Valkey": ("REDIS_URL", "redis://:hidden@/0", "name one host"),
    "sentinels without a name": ("REDIS_URL", "redis+sentinel://u:hidden@a:26379,b", "the name by which"),
    "sentinels and a place too many": ("REDIS_URL", "redis+sentinel://a/mymaster/0/1", "the name by which"),
    "sentinels and a host that is none": ("REDIS_URL", "redis+sentinel://a,,b/mymaster", "name the hosts"),
    "sentinels and a port that is none": ("REDIS_URL", "redis+sentinel://a:x,b/mymaster", "redis://"),
    "a cluster without hosts": ("REDIS_URL", "redis+cluster://:hidden@/0", "name the hosts"),
    "a cluster with a database": ("REDIS_URL", "rediss+cluster://a,b/1", "leave out its number"),
    "a cluster with a parameter": ("REDIS_URL", "redis+cluster://a?db=2", "leave out its number"),
    "a cluster and sentinels": (
        "REDIS_URL",
        "redis+cluster://a?sentinel_password=hidden",
        "one of db, username",
    ),
    "no socket": ("REDIS_URL", "unix://?db=0", "the path of the socket is missing"),
    "no host of mail": ("SMTP_URL", "smtps://", "the host is missing"),
    "a mistyped parameter of mail": ("SMTP_URL", "smtp://mail:25?starttls=require", "starttls=required"),
    "no sender": ("MAIL_FROM", "RoviTracker", "an address, such as Example <no-reply@example.com>"),
    "a quoted key": ("SECRET_KEYS", f'"{KEY}"', "leave them out"),
    "a quoted number": ("PORT", "'8000'", "leave them out"),
    "keys on two lines": ("SECRET_KEYS", f"{KEY}\n{KEY}", "write it on one line"),
    "a duration with a fraction": ("CODE_LIFETIME", "1.5h", "60s or 30d"),
    "a duration without number": ("SESSION_IDLE", "h", "60s or 30d"),
    "a network": ("TRUSTED_PROXIES", "10.0.0.0-10.0.0.9", "no address and no network"),
    "yes or no": ("TOKEN_CACHE", "perhaps", "boolean"),
    "bytes that are no text": ("MAIL_FROM", os.fsdecode(b"B\xfccher <a@b.example>"), "not UTF-8 text"),
}


@pytest.mark.parametrize(("name", "value", "told"), VALUES.values(), ids=VALUES)
def test_a_value_that_cannot_be_read_is_told_with_the_remedy(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROVITRACKER_ENVIRONMENT", "development")
    if name in ("MIGRATION_DATABASE_URL", "DIRECT_DATABASE_URL"):
        monkeypatch.setenv("ROVITRACKER_DATABASE_URL", DATABASE)
    monkeypatch.setenv(f"ROVITRACKER_{name}", value)
    said = refusal()
    assert f"ROVITRACKER_{name}: " in said
    assert told in said


UNDERSTOOD = {
    "?channel_binding=prefer": "",
    "?channel_binding=disable&sslmode=require": "?sslmode=require",
    "?connect_timeout=10&target_session_attrs=read-write": "?target_session_attrs=read-write",
    "?connect_timeout=0": "",
    "?application_name=rovi%20tracker": "?application_name=rovi%20tracker",
    "?sslmode=verify-full&statement_timeout=3000": "?sslmode=verify-full&statement_timeout=3000",
}


ADDRESSES_OF_VALKEY = (
    "redis+sentinel://u:p@a:26379,b:26379,c:26379/mymaster/0?sentinel_username=w&sentinel_password=x",
    "rediss+sentinel://a/mymaster",
    "redis+cluster://:p@a:6379,[::1]:6380,c",
    "rediss+cluster://u:p@a/0?ssl_check_hostname=true",
)


@pytest.mark.parametrize("address", ADDRESSES_OF_VALKEY)
def test_addresses_of_several_valkeys_are_kept(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROVITRACKER_ENVIRONMENT", "development")
    monkeypatch.setenv("ROVITRACKER_DATABASE_URL", DATABASE)
    monkeypatch.setenv("ROVITRACKER_REDIS_URL", address)
    used = load_settings().redis_url
    assert used is not None
    assert used.get_secret_value() == address


@pytest.mark.parametrize(("given", "used"), UNDERSTOOD.items())
def test_parameters_of_a_dsn_are_understood(given: str, used: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver would hand those that it does not know to the server as settings."""
    monkeypatch.setenv("ROVITRACKER_ENVIRONMENT", "development")
    monkeypatch.setenv("ROVITRACKER_REDIS_URL", "redis://cache")
    for address in (DATABASE, "postgresql:///rovi"):
        monkeypatch.setenv("ROVITRACKER_DATABASE_URL", address + given)
        settings = load_settings()
        assert settings.database_url is not None
        assert settings.database_url.get_secret_value() == address + used


ENV_FILES = {
    "UTF-16 as PowerShell writes it": ("ROVITRACKER_PORT=1001\n".encode("utf-16"), "not UTF-8 text"),
    "UTF-16 without a mark": ("ROVITRACKER_PORT=1001\n".encode("utf-16-le"), "not UTF-8 text"),
    "another encoding": ("ROVITRACKER_MAIL_FROM=B\xfccher <a@b>\n".encode("latin-1"), "not UTF-8 text"),
    "a quote without end": (b"A=1\nROVITRACKER_PORT='1001\n", ".env, line 2 cannot be read"),
    "a name alone": (b"A=1\n\nROVITRACKER_PORT\n", "line 3 cannot be read: write NAME=value"),
    "no line of any kind": (b"{json: 1}\n", ".env, line 1 cannot be read"),
    "a reference to nothing": (b"ROVITRACKER_MAIL_FROM=${NOBODY}@b\n", "${NOBODY}, which is not set"),
    "a wrong value": (b"ROVITRACKER_PORT=http\n", "ROVITRACKER_PORT (in .env): "),
    "two spellings": (b"ROVITRACKER_PORT=1\nrovitracker_port=2\n", "one setting with two values"),
    "too much": (b"#" * 70_000, "larger than 65536 bytes"),
}


@pytest.mark.parametrize(("content", "told"), ENV_FILES.values(), ids=ENV_FILES)
def test_an_env_file_that_cannot_be_read_is_told(content: bytes, told: str) -> None:
    Path(".env").write_bytes(content)
    said = refusal()
    assert ".env" in said or "one setting" in said
    assert told in said


def test_an_env_file_is_read_with_a_mark_with_references_and_beside_a_virtual_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOMAIN", "b.example")
    text = (
        '\ufeffexport ROVITRACKER_PORT=1001\nA=a\nROVITRACKER_MAIL_FROM="${A}@${DOMAIN}"\nROVITRACKER_HOST=\n'
    )
    Path(".env").write_text(text, "utf-8")
    settings = load_settings()
    assert (settings.port, settings.mail_from, settings.host) == (1001, "a@b.example", "127.0.0.1")
    Path(".env").unlink()
    Path(".env").mkdir()
    assert ".env is no file" in refusal()
    Path(".env", "pyvenv.cfg").write_text("")
    assert load_settings().port == 8000
    Path(".env", "pyvenv.cfg").unlink()
    Path(".env").rmdir()
    Path(".env").symlink_to("nowhere")
    assert ".env is no file" in refusal()


def _pipe(file: Path) -> None:
    os.mkfifo(file)


def _socket(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(file.name)
        Path(file.name).rename(file)


def _folder_in_place(file: Path) -> None:
    file.mkdir()


def _dangling(file: Path) -> None:
    file.symlink_to("gone")


def _endless(file: Path) -> None:
    file.symlink_to("/dev/zero")


def _holding(content: bytes) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        file.write_bytes(content)

    return write


SECRETS = {
    "empty": (_holding(b""), "is empty: write the value into it, or remove it"),
    "a line end alone": (_holding(b"\n"), "is empty"),
    "quoted": (_holding(f'"{KEY}"\n'.encode()), "leave them out"),
    "two lines": (_holding(f"{KEY}\n{KEY}\n".encode()), "write it on one line"),
    "UTF-16": (_holding(KEY.encode("utf-16")), "not UTF-8 text"),
    "no text": (_holding(b"\xff\xfe\x00\x01"), "not UTF-8 text"),
    "too large": (_holding(b"x" * 70_000), "larger than"),
    "a folder": (_folder_in_place, "is no file"),
    "a link to nothing": (_dangling, "is no file"),
    "a link to a device": (_endless, "is no file"),
    "a pipe": (_pipe, "is no file"),
    "a socket": (_socket, "is no file"),
}


@pytest.mark.parametrize(("make", "told"), SECRETS.values(), ids=SECRETS)
def test_a_secret_file_that_cannot_be_read_is_told(
    make: Callable[[Path], None], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "..data").mkdir()  # as Kubernetes mounts them
    (folder / "of_another").write_bytes(b"\xff")
    monkeypatch.setenv("ROVITRACKER_SECRETS_DIR", str(folder))
    assert load_settings().port == 8000
    make(folder / "rovitracker_secret_keys")
    said = refusal()
    assert "rovitracker_secret_keys" in said
    assert told in said
    assert KEY not in said


def test_one_setting_in_two_spellings_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROVITRACKER_PORT", "1001")
    monkeypatch.setenv("rovitracker_port", "1002")
    assert "are one setting with two values: remove one" in refusal()


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64], ids=["empty", "short", "no text"])
def test_a_development_key_that_is_none_is_not_taken_for_one(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_bytes(content)
    with pytest.raises(SetUpError, match=r"secret_key holds no key: restore it, or remove it"):
        secret_keys(Settings.model_validate({"data_dir": tmp_path}))


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff"], ids=["empty", "nothing", "a list", "no text"]
)
def test_demo_credentials_that_cannot_be_read_are_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_bytes(content)
    with pytest.raises(SetUpError, match=r"demo.json cannot be read: restore it"):
        load_demo(Settings.model_validate({"data_dir": tmp_path}))
