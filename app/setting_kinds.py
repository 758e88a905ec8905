"""How each kind of setting is read: durations, lists, networks and origins."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_interface, ip_network
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from app.mail.server import parse_sender

_UNITS = {"": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400}
_PROXIES = "write the addresses of your proxies, such as 10.0.0.5, or their network, such as 10.0.0.0/8"
_USUAL_PORTS = {"http": 80, "https": 443}  # which browsers leave out
_LAST_PORT = 65_535
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/?",
    re.IGNORECASE,
)
_MAPPED_BITS = 96  # of ::ffff:0:0/96, before the IPv4 address (RFC 4291 section 2.5.5.2)


def parse_duration(value: Any) -> Any:
    """Read `60`, `500ms`, `60s`, `5m`, `1h`, `30d` or `1y` (365 days). Raises ValueError when it is anything else."""
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"(\d{1,9})\s*(ms|[smhdy]?)", str(value).strip())
    if not found:
        raise ValueError("a duration is a number with ms, s, m, h, d or y, such as 60s or 30d")
    try:
        return timedelta(seconds=int(found[1]) * _UNITS[found[2]])
    except OverflowError:
        raise ValueError("a duration has at most 2,700,000 years") from None


def _parse_instant(value: Any) -> Any:
    """Read an instant with its offset, or a date, which is over at the end of its day in UTC."""
    if isinstance(value, datetime):
        return value
    text = str(value).strip()
    with suppress(ValueError, OverflowError):
        if _DATE.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=1)
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    raise ValueError("a date such as 2027-03-31, or an instant with its offset such as 2027-03-31T18:00:00Z")


def _parse_list(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _check_origin(value: str) -> str:
    """An origin as browsers write it: callers compare it as text with what they were sent."""
    if "@" in value:
        raise ValueError("an origin carries no user name")
    if not value.isascii():
        raise ValueError(
            "write the host in ASCII, such as https://xn--bcher-kva.example for https://b\u00fccher.example"
        )
    parts = _ORIGIN.fullmatch(value.strip())
    if parts is None:
        raise ValueError("an origin without path, such as https://auth.example.com")
    scheme, host = parts["scheme"].lower(), parts["host"].lower()
    if host.startswith("["):
        host = f"[{IPv6Address(host[1:-1])}]"
    port = int(parts["port"] or _USUAL_PORTS[scheme])
    if not 0 < port <= _LAST_PORT:
        raise ValueError(f"the port of an origin is 1 to {_LAST_PORT}")
    return f"{scheme}://{host}" if port == _USUAL_PORTS[scheme] else f"{scheme}://{host}:{port}"


def _check_minute(value: timedelta) -> timedelta:
    """Bound a time in which something costs as long as it lasts."""
    if value > timedelta(minutes=1):
        raise ValueError("a minute at most, such as 10s; 0s for none")
    return value


def _check_sender(value: str) -> str:
    parse_sender(value)
    return value


def _check_mail_address(value: str) -> str:
    """An address alone, as the recipient of a mail stands in the outbox."""
    address = parse_sender(value)
    if address.display_name or address.addr_spec != value:
        raise ValueError("an address without a name, such as abuse@example.com")
    return value


def _parse_networks(value: Any) -> Any:
    return [_parse_network(part) if isinstance(part, str) else part for part in _parse_list(value)]


def _parse_network(text: str) -> IPv4Network | IPv6Network:
    """An address, or a network by its first address. Raises ValueError, with the remedy, when it is neither, or everybody."""
    try:
        interface = ip_interface(text)
    except ValueError:
        raise ValueError(f"{text!r} is no address and no network: {_PROXIES}") from None
    if "%" in text:
        raise ValueError(f"{text!r} has a zone, which is not looked at: write {text.partition('%')[0]}")
    network, own = (_without_mapping(each) for each in (interface.network, ip_network(interface.ip)))
    if not network.prefixlen:
        raise ValueError(f"{text} is everybody, and whoever connects could name any address: {_PROXIES}")
    if own.network_address != network.network_address:
        raise ValueError(f"{text} has host bits set: write {network}, or {own.network_address} for it alone")
    return network


def _without_mapping(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """An IPv4-mapped network is the IPv4 network: a peer is called by its IPv4 address, however it is connected."""
    first = network.network_address
    if isinstance(first, IPv6Address) and first.ipv4_mapped is not None and network.prefixlen >= _MAPPED_BITS:
        return IPv4Network((first.ipv4_mapped, network.prefixlen - _MAPPED_BITS))
    return network


Duration = Annotated[timedelta, BeforeValidator(parse_duration), Field(gt=timedelta(0))]
Instant = Annotated[datetime, BeforeValidator(_parse_instant)]
Brief = Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_check_minute)]
SecretList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_parse_list)]
NetworkList = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_parse_networks)]
Origin = Annotated[str, AfterValidator(_check_origin)]
MailAddress = Annotated[str, AfterValidator(_check_mail_address)]
Port = Annotated[int, Field(ge=0, le=_LAST_PORT)]
Sender = Annotated[str, AfterValidator(_check_sender)]
