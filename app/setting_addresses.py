"""Addresses of servers: PostgreSQL, Valkey and mail. Each fault is named with its remedy, and no message shows a secret."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from pydantic import AfterValidator, SecretStr

from app.mail.server import parse_smtp_url

Parameters = list[tuple[str, str]]

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")
_HALF_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LAST_PORT = 65_535

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SESSIONS = ("any", "primary", "standby", "read-write", "read-only", "prefer-standby")
_SSL_FILES = ("sslcert", "sslkey", "sslrootcert", "sslcrl")
# Parameters of the DSN that the driver understands. What is none of these, and none of the refused, is a setting of
# the session, which the server judges.
_CHOICES = {
    "sslmode": _SSL_MODES,
    "target_session_attrs": _SESSIONS,
    "sslnegotiation": ("postgres", "direct"),
    "gsslib": ("gssapi", "sspi"),
}
# libpq's own, which the driver does not know and would hand to the server as settings: each with what to do.
_NOT_KNOWN = {
    "hostaddr": "write the address in the place of the host",
    "fallback_application_name": "write application_name",
    "service": "write the address itself",
    **dict.fromkeys(
        ("gssencmode", "gssdelegation", "require_auth", "sslcertmode"),
        "leave it out, and write sslmode=verify-full to be sure of the server",
    ),
    **dict.fromkeys(
        (
            "sslcompression",
            "sslsni",
            "requiressl",
            "requirepeer",
            "client_encoding",
            "replication",
            "load_balance_hosts",
            "tcp_user_timeout",
            "keepalives",
            "keepalives_idle",
            "keepalives_interval",
            "keepalives_count",
        ),
        "leave it out",
    ),
}
_CONNECT_S = 3  # app.storage.postgres.connections.CONNECT_TIMEOUT_S, which this room may not import

_REDIS_PARAMETERS = (
    "db",
    "username",
    "password",
    "client_name",
    "protocol",
    "ssl_cert_reqs",
    "ssl_ca_certs",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_check_hostname",
)
_SENTINEL_PARAMETERS = (*_REDIS_PARAMETERS, "sentinel_username", "sentinel_password")
_SENTINEL_EXAMPLE = "redis+sentinel://user:password@host1:26379,host2:26379,host3:26379/mymaster/0"


def _address(check: Callable[[SplitResult], Parameters], *schemes: str, example: str) -> AfterValidator:
    """An address of one of these schemes. check: what is special about it; the parameters that it keeps."""

    def read(value: SecretStr) -> SecretStr:
        address = value.get_secret_value()
        if not address.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"an address such as {example}")
        _check_encoding(address)
        parts = urlsplit(address)
        if not _are_hosts(parts.netloc.rpartition("@")[2]):
            raise ValueError(f"an address such as {example}")
        kept = check(parts)
        if len(kept) == len(_parameters(parts)):
            return value
        return SecretStr(address.partition("?")[0] + (f"?{urlencode(kept)}" if kept else ""))

    return AfterValidator(read)


def _check_encoding(address: str) -> None:
    """A password that holds a delimiter ends the address early: another host would be asked, or none."""
    _, _, rest = address.partition("://")
    before, at, _ = rest.rpartition("@")
    if "#" in rest or (at and any(delimiter in before for delimiter in "/?@")):
        raise ValueError(
            "percent-encode what is special in the user name and password: %23 for #, %2F for /, %3F for ?, %40 for @"
        )
    if _HALF_ENCODED.search(rest):
        raise ValueError("a % begins an encoded character, such as %23 for #: write %25 for the sign itself")


def _are_hosts(hosts: str) -> bool:
    found = [_HOST.fullmatch(host) for host in hosts.split(",")]
    return all(host and 0 < int(host["port"] or 1) <= _LAST_PORT for host in found)


def _parameters(parts: SplitResult) -> Parameters:
    try:
        return parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError("what follows the ? is no list of name=value, joined by &") from None


def _check_database(parts: SplitResult) -> Parameters:
    kept = [(name, value) for name, value in _parameters(parts) if _is_for_the_driver(name, value)]
    for name, value in kept:
        _check_choice(name, value, _CHOICES.get(name))
        if name in _SSL_FILES:
            _check_file(name, value)
        if name == "port" and not all(_are_hosts(f":{port}") and port for port in value.split(",")):
            raise ValueError("port is a number from 1 to 65535, or one for each host, joined by commas")
    return kept


def _is_for_the_driver(name: str, value: str) -> bool:
    """Whether the driver gets a parameter. Those it has no need of are understood, and left out.

    Raises ValueError for one that nobody would keep.
    """
    if name in _NOT_KNOWN:
        raise ValueError(f"the parameter {name} is not supported: {_NOT_KNOWN[name]}")
    if name == "channel_binding":
        if value == "require":
            raise ValueError(
                "channel_binding=require cannot be kept, since the driver binds no channel: leave it out, and write "
                "sslmode=verify-full to be sure of the server"
            )
        _check_choice(name, value, ("disable", "prefer"))
        return False
    if name == "connect_timeout":
        if not value.isdecimal() or 0 < int(value) < _CONNECT_S:
            raise ValueError(
                f"connect_timeout: the service gives up after {_CONNECT_S} s by itself: leave it out, or write more"
            )
        return False
    return True


def _check_choice(name: str, value: str, choices: Iterable[str] | None) -> None:
    if choices is not None and value not in choices:
        raise ValueError(f"{name} is one of {', '.join(choices)}")


def _check_file(name: str, value: str) -> None:
    try:
        with Path(value).open("rb"):
            pass
    except OSError as error:
        raise ValueError(f"{name}: {value} cannot be read ({error.strerror}): name a file that can") from None


def _check_redis(parts: SplitResult) -> Parameters:
    given = _parameters(parts)
    kind = parts.scheme.partition("+")[2]
    known = _SENTINEL_PARAMETERS if kind == "sentinel" else _REDIS_PARAMETERS
    for name, value in given:
        _check_choice("a parameter", name, known)
        if name in ("db", "protocol") and not value.isdecimal():
            raise ValueError(f"{name} is a number")
        if name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"):
            _check_file(name, value)
    if kind:
        _check_redis_hosts(parts, kind)
        if kind == "cluster" and (parts.path not in ("", "/", "/0") or dict(given).get("db", "0") != "0"):
            raise ValueError("a cluster has the database 0 alone: leave out its number")
    elif parts.scheme == "unix":
        if not parts.path.startswith("/") or len(parts.path) == 1:
            raise ValueError("the path of the socket is missing: unix:///run/valkey/valkey.sock?db=0")
    elif not re.fullmatch(r"(?:/[0-9]{0,4})?", parts.path):
        raise ValueError("after the host stands the number of the database, such as /0")
    elif "," in parts.netloc or not parts.hostname:
        raise ValueError("name one host: redis://:password@host:6379/0")
    return given


def _check_redis_hosts(parts: SplitResult, kind: str) -> None:
    names = parts.netloc.rpartition("@")[2].split(",")
    if any(not name or name.startswith(":") for name in names):
        raise ValueError(
            f"name the hosts, joined by commas, such as redis+{kind}://user:password@host1,host2,host3"
        )
    if kind == "sentinel" and not re.fullmatch(r"/[^/]+(?:/[0-9]{0,4})?", parts.path):
        raise ValueError(
            f"after the sentinels stands the name by which they know the primary, and then the database: {_SENTINEL_EXAMPLE}"
        )


def _check_smtp(parts: SplitResult) -> Parameters:
    if not parts.hostname:
        raise ValueError("the host is missing: smtps://user:password@host:465")
    given = _parameters(parts)
    if any(parameter != ("starttls", "required") for parameter in given):
        raise ValueError("the only parameter is starttls=required")
    parse_smtp_url(parts.geturl())
    return given


DatabaseUrl = Annotated[
    SecretStr,
    _address(
        _check_database,
        "postgresql",
        "postgres",
        example="postgresql://user:password@host:5432/database",
    ),
]
RedisUrl = Annotated[
    SecretStr,
    _address(
        _check_redis,
        *("redis", "rediss", "unix"),
        *("redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"),
        example="redis://:password@host:6379/0",
    ),
]
SmtpUrl = Annotated[
    SecretStr, _address(_check_smtp, "smtp", "smtps", example="smtps://user:password@host:465")
]
