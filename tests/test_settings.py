"""Settings refuse a wrong value by its variable's name, and no refusal repeats a secret."""

import secrets
from datetime import timedelta
from pathlib import Path

import pytest

from app.cli.hints import told
from app.settings import Settings, SettingsError, load_settings

GOOD_KEY = secrets.token_hex(32)

PRODUCTION = {
    "ROVITRACKER_DATABASE_URL": "postgresql://rovi:hidden@db.example:5432/rovi",
    "ROVITRACKER_REDIS_URL": "rediss://:hidden@valkey.example:6379/0",
    "ROVITRACKER_PUBLIC_URL": "https://auth.example.com",
    "ROVITRACKER_SECRET_KEYS": GOOD_KEY,
}


@pytest.fixture(autouse=True)
def _no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `.env` of whoever runs the suite."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def refusal() -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings()
    said = str(refused.value)
    assert "\n" not in said
    return said


def test_production_starts_with_stores_an_origin_and_a_key(environment: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    assert not settings.development
    assert settings.issuer == "https://auth.example.com"
    environment.setenv("ROVITRACKER_SECRET_KEYS", f"{secrets.token_urlsafe(32)}, {GOOD_KEY}")
    assert len(load_settings().secret_keys) == 2


WEAK_KEYS = {
    "short": GOOD_KEY[:31],
    "a word": "changeme",
    "one letter": "a" * 64,
    "few letters": "abcdefg" + "a" * 57,
    "an example's pattern": "0123456789abcdef" * 4,
    "words": "rovitracker-production-secret-key-one",
    "the keyboard": "qwertyuiopasdfghjklzxcvbnm1234567890",
    "a phrase twice": "correct horse battery staple" * 2,
}


@pytest.mark.parametrize("key", WEAK_KEYS.values(), ids=WEAK_KEYS)
@pytest.mark.parametrize("beside", ["{key}", "{good},{key}", "{key},{good}"], ids=["alone", "last", "first"])
def test_production_refuses_a_weak_key_wherever_it_stands(
    beside: str, key: str, environment: pytest.MonkeyPatch
) -> None:
    """R-113: a key that only opens is as good to a forger as the one that seals."""
    environment.setenv("ROVITRACKER_SECRET_KEYS", beside.format(key=key, good=GOOD_KEY))
    said = refusal()
    assert "ROVITRACKER_SECRET_KEYS holds a weak key" in said
    assert "openssl rand -hex 32" in said
    assert key not in said
    assert GOOD_KEY not in said


@pytest.mark.parametrize("nothing", [None, "", " ", ","], ids=["unset", "empty", "blank", "comma"])
def test_production_refuses_to_start_without_a_key(
    nothing: str | None, environment: pytest.MonkeyPatch
) -> None:
    """R-113: an empty one is none, and none is made up where a second process would make up another."""
    environment.delenv("ROVITRACKER_SECRET_KEYS")
    if nothing is not None:
        environment.setenv("ROVITRACKER_SECRET_KEYS", nothing)
    assert "ROVITRACKER_SECRET_KEYS is missing" in refusal()


REFUSED_IN_PRODUCTION = {
    "http origin": ({"PUBLIC_URL": "http://auth.example.com"}, "ROVITRACKER_PUBLIC_URL must be an https"),
    "no origin": ({"PUBLIC_URL": ""}, "ROVITRACKER_PUBLIC_URL must be an https"),
    "mail in clear": (
        {"SMTP_URL": "smtp://u:hidden@mail.example", "MAIL_FROM": "no-reply@rovi.example"},
        "ROVITRACKER_SMTP_URL must use TLS",
    ),
    "mail that a password only seems to secure": (
        {"SMTP_URL": "smtp://u:starttls=required@mail.example", "MAIL_FROM": "no-reply@rovi.example"},
        "ROVITRACKER_SMTP_URL must use TLS",
    ),
    "private servers": ({"DATABASE_URL": "", "REDIS_URL": "", "ENVIRONMENT": "production"}, None),
}


@pytest.mark.parametrize(("changes", "told"), REFUSED_IN_PRODUCTION.values(), ids=REFUSED_IN_PRODUCTION)
def test_what_production_refuses_and_development_allows(
    changes: dict[str, str], told: str | None, environment: pytest.MonkeyPatch
) -> None:
    """O-33, O-111, R-113: an issuer without TLS among it."""
    for name, value in changes.items():
        environment.setenv(f"ROVITRACKER_{name}", value)
    if told is None:
        assert not load_settings().development
    else:
        assert told in refusal()
    environment.setenv("ROVITRACKER_ENVIRONMENT", "development")
    assert load_settings().development


def test_everything_wrong_in_production_is_said_at_once(environment: pytest.MonkeyPatch) -> None:
    for name in ("PUBLIC_URL", "SECRET_KEYS"):
        environment.delenv(f"ROVITRACKER_{name}")
    environment.setenv("ROVITRACKER_SMTP_URL", "smtp://u:hidden@mail.example")
    said = refusal()
    assert all(f"ROVITRACKER_{name}" in said for name in ("PUBLIC_URL", "SECRET_KEYS", "SMTP_URL"))
    assert "ROVITRACKER_ENVIRONMENT=development" in said
    assert "hidden" not in said


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://auth.example.com", "https://auth.example.com"),
        ("https://auth.example.com/", "https://auth.example.com"),
        ("https://auth.example.com:443", "https://auth.example.com"),
        ("https://auth.example.com:0443/", "https://auth.example.com"),
        ("HTTPS://Auth.Example.COM", "https://auth.example.com"),
        (" https://auth.example.com ", "https://auth.example.com"),
        ("https://auth.example.com:8443", "https://auth.example.com:8443"),
        ("https://auth_7.example.com", "https://auth_7.example.com"),
        ("https://[2001:DB8:0::7]:443", "https://[2001:db8::7]"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ],
)
def test_public_url_is_kept_as_browsers_write_an_origin(
    text: str, origin: str, environment: pytest.MonkeyPatch
) -> None:
    """O-111, O-120: the issuer is compared as text, and so is a form's Origin."""
    environment.setenv("ROVITRACKER_PUBLIC_URL", text)
    assert load_settings().issuer == origin


@pytest.mark.parametrize(
    ("text", "origin"),
    [("http://localhost:80", "http://localhost"), ("http://LOCALHOST:8000", "http://localhost:8000")],
)
def test_public_url_over_http_is_kept_likewise(
    text: str, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROVITRACKER_PUBLIC_URL", text)
    assert load_settings().issuer == origin


REFUSED_VALUES = {
    "origin with a path": ("PUBLIC_URL", "https://auth.example.com/sub", "origin without path"),
    "origin with a query": ("PUBLIC_URL", "https://auth.example.com?x", "origin without path"),
    "origin with a user": ("PUBLIC_URL", "https://u:hidden@auth.example.com", "no user name"),
    "no origin at all": ("PUBLIC_URL", "auth.example.com", "origin without path"),
    "origin with umlauts": ("PUBLIC_URL", "https://b\u00fccher.example", "https://xn--bcher-kva.example"),
    "origin with a letter like a dot": ("PUBLIC_URL", "https://auth\u3002example.com", "in ASCII"),
    "origin with an encoded host": ("PUBLIC_URL", "https://auth%2eexample.com", "origin without path"),
    "origin with a last dot": ("PUBLIC_URL", "https://auth.example.com.", "origin without path"),
    "origin with a large port": ("PUBLIC_URL", "https://auth.example.com:65536", "1 to 65535"),
    "origin with port 0": ("PUBLIC_URL", "https://auth.example.com:0", "1 to 65535"),
    "origin with no port": ("PUBLIC_URL", "https://auth.example.com:", "origin without path"),
    "origin with half an address": ("PUBLIC_URL", "https://[2001:db8]", "2001:db8"),
    "other database": ("DATABASE_URL", "mysql://u:hidden@db/x", "postgresql://"),
    "other cache": ("REDIS_URL", "memcached://u:hidden@cache", "redis://"),
    "database port": ("DATABASE_URL", "postgresql://u:hidden@db:54321o/x", "postgresql://"),
    "other mail": ("SMTP_URL", "mail.example", "smtps://"),
    "mail without a sender": ("SMTP_URL", "smtps://mail.example", "ROVITRACKER_MAIL_FROM is not"),
    "mail with half a sign-in": ("SMTP_URL", "smtps://hidden@mail.example", "go together"),
    "mail with an unknown option": ("SMTP_URL", "smtp://mail.example?starttls=maybe", "starttls=required"),
    "mail to a folder": ("SMTP_URL", "smtps://mail.example/inbox", "names no mail server"),
    "a sender that is none": ("MAIL_FROM", "RoviTracker", "ROVITRACKER_MAIL_FROM: an address"),
    "two senders": ("MAIL_FROM", "a@x.example, b@x.example", "ROVITRACKER_MAIL_FROM: an address"),
    "a sender with a header in it": (
        "MAIL_FROM",
        "a@x.example\r\nBcc: b@x.example",
        "ROVITRACKER_MAIL_FROM: it holds a line break",
    ),
    "reports to nobody": ("SUPPORT_EMAIL", "abuse", "ROVITRACKER_SUPPORT_EMAIL: an address"),
    "reports to a name": ("SUPPORT_EMAIL", "Rovi <a@b.example>", "an address without a name"),
    "port": ("PORT", "99999", "65535"),
    "no port": ("PORT", "http", "integer"),
    "no workers": ("WORKERS", "0", "greater than or equal to 1"),
    "duration in words": ("CODE_LIFETIME", "a minute", "60s"),
    "no duration": ("CODE_LIFETIME", "0s", "greater than"),
    "negative duration": ("SESSION_IDLE", "-5m", "60s"),
    "long grace": ("REFRESH_GRACE", "2m", "a minute at most"),
    "long delay": ("SHUTDOWN_DELAY", "61s", "a minute at most"),
    "log level": ("LOG_LEVEL", "INFO", "did you mean info?"),
    "unlike any log level": ("LOG_LEVEL", "quiet", "none of debug, info, warning, error"),
    "environment": ("ENVIRONMENT", "prodution", "did you mean production?"),
    "folder that is none": ("SECRETS_DIR", "/nowhere/at/all", "/nowhere/at/all is not a folder"),
}


@pytest.mark.parametrize(("name", "value", "told"), REFUSED_VALUES.values(), ids=REFUSED_VALUES)
def test_a_refused_value_is_told_by_its_setting_and_never_shows_a_secret(
    name: str, value: str, told: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(f"ROVITRACKER_{name}", value)
    said = refusal()
    assert f"ROVITRACKER_{name}" in said
    assert told in said
    assert "hidden" not in said


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_misspelt_setting_is_answered_with_the_one_that_was_meant(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two letters swapped, the commonest slip: never silently the default."""
    meant = f"ROVITRACKER_{name.upper()}"
    misspelt = meant[:-2] + meant[-1] + meant[-2] if meant[-1] != meant[-2] else meant[:-1]
    monkeypatch.setenv(misspelt, "1")
    assert refusal() == f"{misspelt} is not a setting; did you mean {meant}?"


def test_a_name_like_no_setting_leads_to_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROVITRACKER_XYZZY", "1")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert told(refused.value) == (
        "ROVITRACKER_XYZZY is not a setting: without it, `rovitracker config` lists those there are"
    )


def test_misspelt_names_are_refused_in_files_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Path(".env").write_text("ROVITRACKER_PROT=1\n")
    assert "did you mean ROVITRACKER_PORT" in refusal()
    Path(".env").unlink()
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "rovitracker_secret_kyes").write_text(GOOD_KEY)
    monkeypatch.setenv("ROVITRACKER_SECRETS_DIR", str(folder))
    assert "did you mean ROVITRACKER_SECRET_KEYS" in refusal()


def test_flag_environment_secrets_file_and_env_file_win_in_this_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert load_settings().port == 8000
    Path(".env").write_text("ROVITRACKER_PORT=1001\n")
    assert load_settings().port == 1001
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "rovitracker_port").write_text("1002\n")
    monkeypatch.setenv("ROVITRACKER_SECRETS_DIR", str(folder))
    assert load_settings().port == 1002
    monkeypatch.setenv("ROVITRACKER_PORT", "1003")
    assert load_settings().port == 1003
    assert load_settings(port=1004).port == 1004
    assert load_settings(port=None).port == 1003


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("", []),
        ("10.0.0.5", ["10.0.0.5/32"]),
        ("10.0.0.0/8, 2001:db8::1 ,", ["10.0.0.0/8", "2001:db8::1/128"]),
        ("10.0.0.0/255.0.0.0", ["10.0.0.0/8"]),
        ("::FFFF:10.0.0.5,::ffff:10.0.0.0/104", ["10.0.0.5/32", "10.0.0.0/8"]),
    ],
)
def test_trusted_proxies_are_addresses_and_networks(
    text: str, networks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-78: an IPv4-mapped one is the IPv4 proxy that a service on :: sees."""
    monkeypatch.setenv("ROVITRACKER_TRUSTED_PROXIES", text)
    assert [str(network) for network in load_settings().trusted_proxies] == networks


UNTRUSTED = {
    "a star": ("*", "write the addresses of your proxies, such as 10.0.0.5"),
    "a name": ("proxy.internal", "'proxy.internal' is no address and no network"),
    "a port": ("10.0.0.5:80", "no address and no network"),
    "a socket": ("unix:", "no address and no network"),
    "leading zeros": ("010.0.0.5", "no address and no network"),
    "a long prefix": ("10.0.0.0/33", "no address and no network"),
    "host bits": ("10.0.0.5/8", "has host bits set: write 10.0.0.0/8, or 10.0.0.5 for it alone"),
    "host bits of IPv6": ("2001:db8::5/32", "write 2001:db8::/32, or 2001:db8::5 for it alone"),
    "mapped host bits": ("::ffff:10.0.0.5/104", "write 10.0.0.0/8, or 10.0.0.5 for it"),
    "a zone": ("fe80::1%eth0", "has a zone, which is not looked at: write fe80::1"),
    "everybody": ("0.0.0.0/0", "is everybody"),
    "everybody by IPv6": ("::/0", "is everybody"),
    "everybody, mapped": ("::ffff:0:0/96", "is everybody"),
}


@pytest.mark.parametrize(("text", "told"), UNTRUSTED.values(), ids=UNTRUSTED)
@pytest.mark.parametrize("beside", ["{}", "10.0.0.1,{}", "{},10.0.0.1"], ids=["alone", "last", "first"])
def test_proxy_that_is_no_address_is_refused_with_the_remedy(
    text: str, told: str, beside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-78: a name, or an entry that is read as another than was meant, would trust nobody or everybody."""
    monkeypatch.setenv("ROVITRACKER_TRUSTED_PROXIES", beside.format(text))
    said = refusal()
    assert said.startswith("ROVITRACKER_TRUSTED_PROXIES: ")
    assert told in said


def test_one_store_without_the_other_is_refused(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("ROVITRACKER_REDIS_URL")
    assert "ROVITRACKER_DATABASE_URL is set but ROVITRACKER_REDIS_URL is not" in refusal()


def test_a_pooler_needs_an_owner_of_another_name(environment: pytest.MonkeyPatch) -> None:
    """SET ROLE on a pooled connection would stay for whoever gets it next."""
    environment.setenv("ROVITRACKER_DIRECT_DATABASE_URL", "postgresql://rovi:hidden@direct.example/rovi")
    said = refusal()
    assert "ROVITRACKER_MIGRATION_DATABASE_URL" in said
    assert "hidden" not in said
    environment.setenv("ROVITRACKER_MIGRATION_DATABASE_URL", "postgresql://owner:hidden@db.example/rovi")
    assert load_settings().direct_database_url is not None


def test_citus_needs_an_owner_of_another_name(environment: pytest.MonkeyPatch) -> None:
    """What SET ROLE makes of a session, no worker lets in."""
    environment.setenv("ROVITRACKER_DISTRIBUTED", "citus")
    environment.setenv("ROVITRACKER_MIGRATION_DATABASE_URL", PRODUCTION["ROVITRACKER_DATABASE_URL"])
    said = refusal()
    assert "ROVITRACKER_MIGRATION_DATABASE_URL" in said
    assert "hidden" not in said
    environment.delenv("ROVITRACKER_MIGRATION_DATABASE_URL")
    assert load_settings().distributed == "citus"  # the service alone need not know the owner
    environment.setenv("ROVITRACKER_MIGRATION_DATABASE_URL", "postgresql://owner:hidden@db.example/rovi")
    assert load_settings().distributed == "citus"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60", 60), ("60s", 60), ("5m", 300), ("1h", 3600), ("30d", 2_592_000), ("1 y", 31_536_000)],
)
def test_durations_are_read_as_people_write_them(
    text: str, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROVITRACKER_CODE_LIFETIME", text)
    assert load_settings().code_lifetime == timedelta(seconds=seconds)


@pytest.mark.parametrize(("text", "seconds"), [(None, 0), ("0s", 0), ("10s", 10), ("1m", 60)])
def test_refresh_tokens_have_no_grace_unless_one_is_set(
    text: str | None, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is not None:
        monkeypatch.setenv("ROVITRACKER_REFRESH_GRACE", text)
    assert load_settings().refresh_grace == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2027-03-31", "2027-04-01T00:00:00+00:00"),
        ("2027-03-31T18:00:00Z", "2027-03-31T18:00:00+00:00"),
        (" 2027-03-31T18:00:00+02:00", "2027-03-31T16:00:00+00:00"),
    ],
)
def test_a_date_counts_whole_and_an_instant_has_its_offset(
    text: str, until: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROVITRACKER_LEGACY_TOKENS_UNTIL", text)
    found = load_settings().legacy_tokens_until
    assert found is not None
    assert found.isoformat() == until


@pytest.mark.parametrize(
    "text", ["2027-02-30", "2027-03-31T18:00:00", "soon", "31.3.2027", "9999-12-31", "1y", "2027-03"]
)
def test_a_time_that_cannot_be_read_stops_the_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never taken as absent."""
    monkeypatch.setenv("ROVITRACKER_LEGACY_TOKENS_UNTIL", text)
    assert refusal() == (
        "ROVITRACKER_LEGACY_TOKENS_UNTIL: a date such as 2027-03-31, or an instant with its offset such as 2027-03-31T18:00:00Z"
    )
