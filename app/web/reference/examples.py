"""The one story that all examples tell: an application, its customer, a code, a token, a machine. None of it exists."""

import re
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

from app.aemp.address.addresses import FleetAddress, SeriesAddress, parse_address
from app.aemp.address.paging import Asked, Link, links_for
from app.aemp.address.ranges import recent_range
from app.aemp.history.history import readings_of
from app.aemp.model.series import OPERATING_HOURS, SERIES
from app.aemp.model.values import (
    EngineStatus,
    Equipment,
    EquipmentHeader,
    FuelConsumed,
    Hours,
    Location,
    TankLevel,
)
from app.aemp.write.snapshot import SeriesPage, Snapshot, take_snapshot
from app.oauth.answer import Party
from app.web.paths import FIRST_PAGE, V2

CLIENT_ID = "019c47c7-cb50-723f-a603-f61dc036b5c5"
CLIENT_SECRET = "rovi_cs_AMlAg4pD6H6T9vTjNA81K744p1dyXghZij6eco3oomJ0uNb3l"
REDIRECT_URI = "https://sitewise.example/callback"
STATE = "kV4xq-T9wLr2"
CODE_VERIFIER = "qZ7b3kXwT9sJ0uLrG5nYc2VfM8hA1dEoPi6WtRjKyBg"
CODE_CHALLENGE = "vp4gbEUtkBSYYTOLhvBBx_nyk6KokUa1zhJpn_wUIzA"
CODE = "rovi_ac_c033RrdFKfr3IloMamUiClSCLvtZKFKld7zGWPGMvl1mLj9TkE2GE7D3"

TOKEN = "rovi_at_c033RrdLcauUUeHOTHYJKDG3m6Co4PjF9ORgrLmRs5ToPpP9TI3F4D3a"
TOKEN_ID = UUID("019e8c8d-4cb8-79d9-b4eb-4ee78df7e02e")
SHORT_TOKEN = "rovi_at_s033RrkOi47iO31dQ25dyco529MtEPkR77TvswhAlz1Ld8lwE00HIYnS"
# Strict applications: one that keeps a secret, one on people's own devices.
STRICT_CLIENT_ID = "019c41d9-fcb8-7b1b-a3f1-cc17b415ec8e"
PUBLIC_CLIENT_ID = "019caefe-a550-7e4a-b5ab-a4aa2a6712a2"
REFRESH_TOKEN = "rovi_rt_s033RrdMGkjevEWIl1jq69OIJdUWh0PBKLko3qMPfJuAIbbo3e3geTHM"
REFRESH_TOKEN_ID = UUID("019e8c8d-4e54-7119-aea5-c3d0fba7f02e")
NEXT_REFRESH_TOKEN = "rovi_rt_s033Rt3mjtKVQAAMyHfJuYw7QrCQmvhmSLk4sqitdeKEj2Prxx2NKGy0"
CUSTOMER_ID = UUID("019bdaad-86e0-7b11-9863-875e34487ca3")
PARTY = Party(CLIENT_ID, CUSTOMER_ID, "Nordhoff Tiefbau", UUID("019bdaad-8a11-7c0e-8e1f-2b7d5c90fa33"))
CONFIRMED_EMAIL = "ann@nordhoff.example"
ISSUED_AT_S = 1_780_474_531  # 2026-06-03T08:15:31Z

PUBLIC_JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "4cHJ6tXaWmHh2rYjUQ0Zb3k8sV1nqLwE7oGdRfTyPxA",
    "y": "Kp9sZ2vQm5uXo8Bt1LrNc4WyEa7HdFgJi6ThRkSlUwM",
    "use": "sig",
    "alg": "ES256",
    "kid": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
}
_SIGNATURE = "T2hDbzV0bGU3RmFrZVNpZ25hdHVyZUZvckRvY3MxMjM0NTY3ODkwYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eX"

PIN = "9NRA2B3C4M0030117"
MAKE, MODEL, SERIAL_NUMBER, EQUIPMENT_ID = "Nordhoff", "NX 350 LC", "30117", "EX-07"
# It names a refused request.
REFERENCE = "019e8c8f8d2a7b40a6c1f3d5924be870"

ASKED_AT = datetime(2026, 6, 3, 8, 16, 2, tzinfo=UTC)
START_DATE, END_DATE = recent_range(ASKED_AT).segments
_REPORTED_AT = datetime(2026, 6, 3, 8, 12, 40, tzinfo=UTC)
_STARTED_AT = datetime(2026, 6, 3, 6, 58, 11, tzinfo=UTC)

MACHINE = Equipment(
    header=EquipmentHeader(
        unit_installed_at=datetime(2024, 3, 18, 7, 30, tzinfo=UTC),
        oem_name=MAKE,
        model=MODEL,
        equipment_id=EQUIPMENT_ID,
        serial_number=SERIAL_NUMBER,
        pin=PIN,
    ),
    location=Location(_REPORTED_AT, 52.1318402, 11.6276213, 56.0),
    cumulative_idle_hours=Hours(_REPORTED_AT, 1208.35),
    cumulative_operating_hours=Hours(_REPORTED_AT, 4312.8),
    engine_status=EngineStatus(_STARTED_AT, running=True),
    fuel_used=FuelConsumed(_REPORTED_AT, 81_934.5),
    fuel_used_last_24=FuelConsumed(_REPORTED_AT, 143.2),
    fuel_remaining=TankLevel(_REPORTED_AT, 64.0, 410.0),
)

# What it reported of the series of the example; of all others only what its snapshot says.
HOURS = (Hours(_REPORTED_AT - timedelta(minutes=5), 4312.72), Hours(_REPORTED_AT, 4312.8))
_TOLD = {name for name, _ in readings_of(MACHINE)}
REPORTED = tuple(series for series in SERIES if series.element.name in _TOLD)

DAY = "2026-06-03"
# What a gateway tells of another machine of the same customer, and what it is told.
TRUCK = EquipmentHeader(
    oem_name="Veldman", equipment_id="TR-12", serial_number="V30-4219", pin="9VEL7H2K4P0004219"
)
# Two machines of this customer that have all names but the PIN in common.
TWIN_SERIAL_NUMBER, TWIN_EQUIPMENT_ID = "V77", "EX-08"
TWINS = tuple(
    EquipmentHeader(
        oem_name="Kranich",
        model="K 8",
        equipment_id=TWIN_EQUIPMENT_ID,
        serial_number=TWIN_SERIAL_NUMBER,
        pin=f"9KRA1F6G7H004055{number}",
    )
    for number in (1, 2)
)
LINES = """\
{"PIN": "9VEL7H2K4P0004219", "Location": {"Latitude": 52.131, "Longitude": 11.627, "datetime": "2026-06-03T08:10:00Z"}}
{"SerialNumber": "V30-4219", "FuelUsed": [{"FuelConsumed": 512.4, "datetime": "2026-06-03T08:10:00Z"}, {"FuelConsumed": 512.9, "datetime": "2026-06-03T08:15:00Z"}]}
{"PIN": "9VEL7H2K4P0004219", "CumulativeOperatingHours": {"Hour": -1, "datetime": "2026-06-03T08:15:00Z"}}
"""
TAKEN = {
    "accepted": 3,
    "stored": 3,
    "rejected": [
        {
            "line": 3,
            "reading": "CumulativeOperatingHours",
            "datetime": "2026-06-03T08:15:00Z",
            "reason": "CumulativeOperatingHours: Hour is -1, outside 0 to 1,000,000",
        }
    ],
}

_XML_PIECE = re.compile(r"<(\w++)[^<>]*+>[^<]*+</\1>|<[^<>]++>")


def client_assertion(issuer: str) -> str:
    """What an application with keys signs when it asks for a token; good for a minute, and once."""
    return _jwt(
        {"alg": "ES256", "kid": "sitewise-2026"},
        {
            "iss": CLIENT_ID,
            "sub": CLIENT_ID,
            "aud": issuer,
            "exp": ISSUED_AT_S + 60,
            "iat": ISSUED_AT_S,
            "jti": "Vb8Jc2eQ6xK1",
        },
    )


def signed_answer(issuer: str, answer: object) -> str:
    """An answer of the introspection endpoint as a JWT."""
    claims = {"iss": issuer, "aud": CLIENT_ID, "iat": ISSUED_AT_S, "token_introspection": answer}
    return _jwt({"typ": "token-introspection+jwt", "alg": "ES256", "kid": PUBLIC_JWK["kid"]}, claims)


def _jwt(header: object, claims: object) -> str:
    """With a signature that nobody made."""
    parts = [urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, _SIGNATURE])


def first_page(issuer: str, asked: str = FIRST_PAGE) -> Snapshot:
    """The first of three pages, of whose 100 machines one is shown."""
    return take_snapshot((MACHINE,), _links(issuer, asked, 3), now=ASKED_AT)


def one_machine(address: str) -> Snapshot:
    return take_snapshot((MACHINE,), (Link("self", address),), now=ASKED_AT)


def series_page(issuer: str, asked: str) -> SeriesPage:
    return SeriesPage(OPERATING_HOURS, HOURS, _links(issuer, asked, 1))


def _links(issuer: str, asked: str, last_page: int) -> tuple[Link, ...]:
    """As they are answered. asked: the address of the first page."""
    address = parse_address(Asked(asked.removeprefix(V2)))
    if not isinstance(address, FleetAddress | SeriesAddress):
        raise TypeError(f"{asked} has no pages")
    return links_for(issuer + V2, address.pages, last_page)


def reported(machine_address: str) -> Snapshot:
    dates = f"{START_DATE}/{END_DATE}"
    links = (Link(series.name, f"{machine_address}/{series.name}/{dates}/1") for series in REPORTED)
    own = Link("self", f"{machine_address}/{dates}")
    return Snapshot(_REPORTED_AT, (Equipment(header=MACHINE.header),), (own, *links))


def indented(xml: str) -> str:
    """One of our documents with a line for every element: on the wire it is a single line."""
    lines: list[str] = []
    depth = 0
    for piece in (found[0] for found in _XML_PIECE.finditer(xml)):
        depth -= piece.startswith("</")
        lines.append("  " * depth + piece)
        depth += "</" not in piece and not piece.startswith("<?")
    return "\n".join(lines) + "\n"
