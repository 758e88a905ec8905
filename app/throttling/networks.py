"""The networks around a client's address: who holds many small ones must not have a limit for each."""

_IPV6 = "::/64"  # as app/door/addresses.py writes it, in full: 2001:0db8:0001:0002::/64


def is_ipv6(name: str) -> bool:
    """Whether the name ends in the /64 of an IPv6 address."""
    return name.endswith(_IPV6)


def networks_around(name: str) -> tuple[tuple[str, float], ...]:
    """The name, and the /56 and the /48 around a /64, each with the part of an event it counts.

    A /48 has 65,536 networks of /64. It has sixteen times the limit of one all the same, and a /56 four times.
    """
    if not is_ipv6(name):
        return ((name, 1.0),)
    return ((name, 1.0), (f"{name[:-7]}00::/56", 1 / 4), (f"{name[:-10]}::/48", 1 / 16))
