"""One party is one address or network however it is spelt, and a trusted proxy's word is read and nobody else's."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.door.addresses import TrustedProxies, network_of, scheme_of
from tests.cost.clock import assert_grows_no_faster

MAPPED = [
    "::ffff:192.0.2.7",
    "::FFFF:192.0.2.7",
    "::ffff:c000:207",
    "0:0:0:0:0:ffff:c000:0207",
    "0000:0000:0000:0000:0000:ffff:192.0.2.7",
    "::ffff:192.0.2.7%eth0",
    "64:ff9b::192.0.2.7",
]


@pytest.mark.parametrize("address", ["192.0.2.7", *MAPPED])
def test_ipv4_address_is_itself_however_it_arrives(address: str) -> None:
    """Mapped (a socket on ::) or translated (RFC 6052), all of them would fall into one /64."""
    assert network_of(address) == "192.0.2.7"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:1:2:3::4", "2001:0db8:0001:0002::/64"),
        ("2001:DB8:1:2::", "2001:0db8:0001:0002::/64"),
        ("fe80::1%eth0", "fe80:0000:0000:0000::/64"),
        ("::1", "0000:0000:0000:0000::/64"),
        ("::fffe:192.0.2.7", "0000:0000:0000:0000::/64"),
    ],
)
def test_ipv6_address_is_its_64(address: str, network: str) -> None:
    assert network_of(address) == network


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_network_of_every_ipv6_address_holds_it(address: IPv6Address) -> None:
    found = network_of(str(address))
    assert address.ipv4_mapped is not None or address in IPv6Network(found)
    assert found == network_of(address.exploded) == network_of(str(address).upper())


@given(st.text(max_size=60) | st.text("0123456789abcdef:.%[]/", max_size=60))
def test_what_is_no_address_raises_nothing(text: str) -> None:
    """A unix socket's peer has none, and a test client calls itself testclient."""
    found = network_of(text)
    assert found == text or ":" in text
    TRUSTED.holds(text)
    for name in ("", "testclient", "unix:", "::::", "a:b:c", "/run/proxy.sock"):
        assert network_of(name) == name


PROXY = "10.0.0.1"
TRUSTED = TrustedProxies(tuple(ip_network(each) for each in ("10.0.0.0/8", "2001:db8:f::/48")))


def client_of(*fields: str) -> tuple[str, int] | None:
    return TRUSTED.client_of([(b"x-forwarded-for", field.encode("latin-1")) for field in fields])


@pytest.mark.parametrize(
    "peer", [PROXY, f"::ffff:{PROXY}", "::FFFF:a00:1", "2001:DB8:F::9", "2001:db8:f::9%eth0"]
)
def test_trusted_proxy_is_known_however_it_is_connected(peer: str) -> None:
    """R-78: a service on :: sees its IPv4 proxy by a mapped address."""
    assert TRUSTED.holds(peer)


@pytest.mark.parametrize(
    "peer", ["11.0.0.1", "::ffff:11.0.0.1", "2001:db8:e::9", "64:ff9b::10.0.0.1", "", "::::", "*"]
)
def test_nobody_else_is(peer: str) -> None:
    """R-78: an address that was translated is not the proxy's own."""
    assert not TRUSTED.holds(peer)
    assert not TrustedProxies().holds(peer)


@pytest.mark.parametrize(
    ("member", "client"),
    [
        ("192.0.2.7", ("192.0.2.7", 0)),
        ("192.0.2.7:5678", ("192.0.2.7", 5678)),
        ('"192.0.2.7:5678"', ("192.0.2.7", 5678)),
        ('"192.0.2.7"', ("192.0.2.7", 0)),
        (" \t192.0.2.7\t ", ("192.0.2.7", 0)),
        ("::ffff:192.0.2.7", ("192.0.2.7", 0)),
        ("192.0.2.7:_web-1", ("192.0.2.7", 0)),
        ("2001:db8::1", ("2001:db8::1", 0)),
        ("2001:0DB8::0001", ("2001:db8::1", 0)),
        ("[2001:db8::1]", ("2001:db8::1", 0)),
        ("[2001:db8::1]:443", ("2001:db8::1", 443)),
        ('"[2001:db8::1]:443"', ("2001:db8::1", 443)),
        ('"2001:db8::1"', ("2001:db8::1", 0)),
        ("[fe80::1%eth0]:80", ("fe80::1", 80)),
    ],
)
def test_address_is_read_as_proxies_write_it(member: str, client: tuple[str, int]) -> None:
    """RFC 7239 section 6, and what X-Forwarded-For is sent as without it."""
    assert client_of(member) == client
    assert client_of(f"203.0.113.1, {member} ,, {PROXY}") == client


UNREADABLE = [
    "::::",
    "a:b:c",
    "unknown",
    "_hidden",
    "unix:",
    '"',
    '""',
    '"192.0.2.7',
    "[2001:db8::1",
    "2001:db8::1]",
    "[]",
    "[2001:db8::1]443",
    "192.0.2.7:",
    "192.0.2.7:65536",
    "192.0.2.7:-1",
    "192.0.2.7:1:2",
    "192.0.2",
    "192.0.2.07",
    "192.0.2.256",
    "3221225991",
    "192.0.2.7 198.51.100.1",
    "for=192.0.2.7",
    "localhost",
    "\xb92.0.2.7",
    "192.0.2.7:\xb2",
    "0" * 70,
    "[" * 1000,
]


@pytest.mark.parametrize("member", UNREADABLE)
def test_unreadable_member_ends_the_walk_at_the_last_proxy_that_was_read(member: str) -> None:
    """R-78: nobody knows who wrote what stands left of it, and no stranger can choose the one that counts."""
    assert client_of(member) is None
    assert client_of(f"203.0.113.1, {member}") is None
    assert client_of(f"203.0.113.1, {member}, 10.0.0.3:80, 10.0.0.2") == ("10.0.0.3", 80)
    assert client_of(f"{member}, 192.0.2.7, {PROXY}") == ("192.0.2.7", 0)


def test_rightmost_stranger_counts_over_all_lines() -> None:
    """O-139: what stands left of it is its own word."""
    assert client_of("203.0.113.1, 192.0.2.7") == ("192.0.2.7", 0)
    assert client_of("203.0.113.1", "192.0.2.7", "10.0.0.2, 10.0.0.1") == ("192.0.2.7", 0)
    assert client_of("192.0.2.7", "203.0.113.1, unknown") is None
    assert client_of("10.0.0.3, 10.0.0.2") == ("10.0.0.3", 0)
    for nothing in ([], [""], [" , ,", ","]):
        assert client_of(*nothing) is None
    forwarded = [
        (b"forwarded", b"for=192.0.2.7"),
        (b"x-real-ip", b"192.0.2.7"),
        (b"x-forwarded-host", b"192.0.2.7"),
    ]
    assert TRUSTED.client_of(forwarded) is None


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=200), max_size=5))
def test_arbitrary_fields_give_an_address_or_nothing(fields: list[str]) -> None:
    """R-78: never an exception, and never a text that is no address."""
    found = client_of(*fields)
    assert found is None or (str(ip_address(found[0])), 0 <= found[1] <= 65_535) == (found[0], True)


@given(
    st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address),
    st.integers(1, 65_535),
)
def test_every_address_comes_back_from_each_spelling(address: IPv4Address | IPv6Address, port: int) -> None:
    plain = str(getattr(address, "ipv4_mapped", None) or address)
    bracketed = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    assert client_of(str(address)) == client_of(bracketed) == (plain, 0)
    assert client_of(f"{bracketed}:{port}") == client_of(f'"{bracketed}:{port}"') == (plain, port)


def test_only_the_last_members_of_a_long_list_are_read() -> None:
    """R-76: as many as no chain of proxies has."""
    assert client_of(",".join(["192.0.2.7", *[PROXY] * 31])) == ("192.0.2.7", 0)
    assert client_of(",".join(["192.0.2.7", *[PROXY] * 32])) == (PROXY, 0)
    assert client_of("192.0.2.7" + "," * 31) == ("192.0.2.7", 0)
    assert client_of("192.0.2.7" + "," * 32) is None
    assert client_of("192.0.2.7", *[PROXY] * 32) == (PROXY, 0)


@pytest.mark.parametrize("part", [",", "10.0.0.1,", '"', "[", "1.", ":", "[1:", " ", "1:_a"], ids=repr)
def test_ten_times_the_field_takes_at_most_twelve_times_as_long(part: str) -> None:
    """R-76."""
    few = part * (16_000 // len(part))
    assert_grows_no_faster(client_of, few, few * 10)


@pytest.mark.parametrize(
    ("fields", "scheme"),
    [
        ([], None),
        (["https"], "https"),
        ([" http "], "http"),
        (["http", "https"], "https"),
        (["https,http"], None),
        (["HTTPS"], None),
        (["javascript"], None),
        (["\xff"], None),
        ([""], None),
    ],
)
def test_scheme_is_one_of_two_words(fields: list[str], scheme: str | None) -> None:
    assert scheme_of([(b"x-forwarded-proto", field.encode("latin-1")) for field in fields]) == scheme
