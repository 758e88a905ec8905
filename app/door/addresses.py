"""Addresses: the network that one party holds, and the client whose request a trusted proxy hands on."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Headers = Iterable[tuple[bytes, bytes]]  # names in lower case

# RFC 6052 section 2.1: behind a stateless translator every IPv4 client comes from here.
_TRANSLATED = IPv6Network("64:ff9b::/96")

_MOST_HOPS = 32
_LONGEST_HOP = 64  # a quoted IPv6 address in full with a port has 49 characters
_LAST_PORT = 65_535
# An address that may have a port behind it. An IPv6 address without brackets has none. A hidden port is as good as none.
_WITH_PORT = re.compile(
    r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<v4>[0-9.]+))(?::(?:(?P<port>[0-9]{1,5})|_[A-Za-z0-9._-]+))?"
)


def network_of(address: str) -> str:
    """The network that one party can be taken to hold: an IPv4 address, or the /64 of an IPv6 address.

    The /64 is written in full, so that the name of a wider network is a part of it. Any other text stays as it is.
    """
    return _network_of_ipv6(address) if ":" in address else address


@lru_cache(maxsize=4096)  # reading one takes longer than everything else that is counted by it
def _network_of_ipv6(text: str) -> str:
    address = _read_address(text)
    if address is None:
        return text
    if isinstance(address, IPv6Address) and address in _TRANSLATED:
        address = IPv4Address(int(address) & 0xFFFF_FFFF)
    if isinstance(address, IPv4Address):
        return str(address)
    return f"{address.exploded[:19]}::/64"


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The proxies whose forwarded headers count."""

    networks: tuple[Network, ...] = ()

    def holds(self, peer: str) -> bool:
        """Whether the other end of a connection is one of them: asked once a connection."""
        address = _read_address(peer) if self.networks else None
        return address is not None and self._hold(address)

    def client_of(self, headers: Headers) -> tuple[str, int] | None:
        """The client behind a trusted proxy: the rightmost address in X-Forwarded-For that is no trusted proxy's.

        Each proxy adds the address of its own peer on the right. What stands left of a stranger's is the stranger's word.
        A member that cannot be read ends the walk, for nobody knows who wrote what is left of it. Then the last proxy that
        was read counts, as it does where all are trusted: no stranger can choose it. None stands for the peer itself.
        """
        nearest = None
        fields = [value for name, value in headers if name == b"x-forwarded-for"]
        for member in _members_from_the_right(fields):
            hop = _read_hop(member)
            if hop is None:
                break
            address, port = hop
            nearest = (str(address), port)
            if not self._hold(address):
                break
        return nearest

    def _hold(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


NO_PROXIES = TrustedProxies()


def scheme_of(headers: Headers) -> str | None:
    """The scheme that a trusted proxy was asked by; None where it does not say so clearly."""
    said = [value for name, value in headers if name == b"x-forwarded-proto"]
    scheme = said[-1].strip().decode("latin-1") if said else None
    return scheme if scheme in ("http", "https") else None


def _members_from_the_right(fields: Sequence[bytes]) -> Iterator[str]:
    """The members of a list in several lines, without the empty ones; a long list gives only its last."""
    left = _MOST_HOPS
    for field in reversed(fields):
        for member in reversed(field.rsplit(b",", left)):
            if not left:
                return
            left -= 1
            if text := member.strip(b" \t"):
                yield text.decode("latin-1")


def _read_hop(unverified: str) -> tuple[Address, int] | None:
    """A node as RFC 7239 section 6 writes it, and as X-Forwarded-For does: without quotes, or without brackets.

    None for `unknown`, for a hidden name such as `_proxy`, and for whatever is malformed. Port 0 says that there is none.
    """
    if len(unverified) > _LONGEST_HOP:
        return None
    quoted = len(unverified) > 1 and unverified[0] == unverified[-1] == '"'
    text = unverified[1:-1] if quoted else unverified
    found = _WITH_PORT.fullmatch(text)
    host, port = (found["v6"] or found["v4"], int(found["port"] or 0)) if found else (text, 0)
    address = _read_address(host)
    return (address, port) if address is not None and port <= _LAST_PORT else None


def _read_address(text: str) -> Address | None:
    """None for what is no address. An IPv4-mapped one is the IPv4 address, and the zone is left out."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
