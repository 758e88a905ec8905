"""The address of the settings: which servers it names, and how a connection to one of them is made."""

import asyncio
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlencode

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

Host = tuple[str, int]
"""Name or address, and port."""

Kind = Literal["single", "sentinel", "cluster"]

OPENING_S = 1.0
_PORTS: dict[str, int] = {"sentinel": 26_379, "cluster": 6_379}
_OF_SENTINELS = {"sentinel_username": "username", "sentinel_password": "password"}


class Maker:
    """Makes connections with the account, TLS and time-outs of one address of the redis package."""

    def __init__(self, url: str, *, timeout_s: float, **more: Any) -> None:
        """more: for each connection, in place of what the address says."""
        pool = ConnectionPool.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=OPENING_S,
            **({} if url.startswith("unix:") else {"socket_keepalive": True}),
            retry=Retry(NoBackoff(), 0),
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
        self._kind, self._given = pool.connection_class, {**pool.connection_kwargs, **more}

    async def connect(self, host: Host | None = None) -> AbstractConnection:
        """Open a connection. host: None for the one that the address names."""
        connection = self._kind(**self._given_for(host))
        try:
            await connection.connect()  # type: ignore[no-untyped-call]  # the library leaves it untyped
        except asyncio.CancelledError:
            await connection.disconnect(nowait=True)
            raise
        return connection

    def _given_for(self, host: Host | None) -> dict[str, Any]:
        return self._given if host is None else {**self._given, "host": host[0], "port": host[1]}


@dataclass(frozen=True, slots=True)
class Address:
    """hosts: nodes of the cluster, or sentinels, which are asked by `sentinels`; none of a single server.

    primary: the name by which the sentinels know it.
    """

    kind: Kind
    servers: Maker
    hosts: tuple[Host, ...] = ()
    primary: str = ""
    sentinels: Maker | None = None


def read_address(url: str, *, timeout_s: float) -> Address:
    """url: one that `app/setting_addresses.py` let pass. timeout_s: for each reply while a connection is opened."""
    scheme, _, rest = url.partition("://")
    base, _, kind = scheme.partition("+")
    if kind not in _PORTS:
        return Address("single", Maker(url, timeout_s=timeout_s))
    place, _, query = rest.partition("?")
    authority, _, path = place.partition("/")
    account, at, names = authority.rpartition("@")
    hosts = tuple(read_host(name, _PORTS[kind]) for name in names.split(","))
    given = parse_qsl(query)
    for_servers = urlencode([each for each in given if each[0] not in _OF_SENTINELS])
    if kind == "cluster":
        servers = Maker(f"{base}://{account}{at}?{for_servers}", timeout_s=timeout_s)
        return Address("cluster", servers, hosts)
    primary, _, number = path.partition("/")
    servers = Maker(f"{base}://{account}{at}/{number}?{for_servers}", timeout_s=timeout_s)
    own: dict[str, Any] = {"username": None, "password": None, "db": 0}
    own |= {_OF_SENTINELS[name]: value for name, value in given if name in _OF_SENTINELS}
    sentinels = Maker(f"{base}://?{for_servers}", timeout_s=timeout_s, **own)
    return Address("sentinel", servers, hosts, unquote(primary), sentinels)


def read_host(text: str, port: int) -> Host:
    """A host as it stands in an address or in a redirection. port: where none is given."""
    name, colon, number = text.rpartition(":")
    if not colon or text.endswith("]"):
        return text.strip("[]"), port
    return name.strip("[]"), int(number)


def shown_host(host: Host) -> str:
    return f"[{host[0]}]:{host[1]}" if ":" in host[0] else f"{host[0]}:{host[1]}"
