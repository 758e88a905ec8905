"""The one story that all examples tell: an application, its customer, a code, a token, a machine. None of it exists."""

import re
from datetime import UTC, datetime
from uuid import UUID

from app.aemp.paging import Link
from app.aemp.snapshot import Snapshot
from app.aemp.values import EngineStatus, Equipment, EquipmentHeader, FuelConsumed, Hours, Location, TankLevel

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
# Of applications of the strict kind: one that keeps a secret, one on people's own devices.
STRICT_CLIENT_ID = "019c41d9-fcb8-7b1b-a3f1-cc17b415ec8e"
PUBLIC_CLIENT_ID = "019caefe-a550-7e4a-b5ab-a4aa2a6712a2"
REFRESH_TOKEN = "rovi_rt_s033RrdMGkjevEWIl1jq69OIJdUWh0PBKLko3qMPfJuAIbbo3e3geTHM"
REFRESH_TOKEN_ID = UUID("019e8c8d-4e54-7119-aea5-c3d0fba7f02e")
NEXT_REFRESH_TOKEN = "rovi_rt_s033Rt3mjtKVQAAMyHfJuYw7QrCQmvhmSLk4sqitdeKEj2Prxx2NKGy0"
CUSTOMER_ID = UUID("019bdaad-86e0-7b11-9863-875e34487ca3")
ISSUED_AT_S = 1_780_474_531  # 2026-06-03T08:15:31Z

PIN = "9NRA2B3C4M0030117"
SNAPSHOT_AT = datetime(2026, 6, 3, 8, 16, 2, tzinfo=UTC)
_REPORTED_AT = datetime(2026, 6, 3, 8, 12, 40, tzinfo=UTC)
_STARTED_AT = datetime(2026, 6, 3, 6, 58, 11, tzinfo=UTC)

MACHINE = Equipment(
    header=EquipmentHeader(
        unit_installed_at=datetime(2024, 3, 18, 7, 30, tzinfo=UTC),
        oem_name="Nordhoff",
        model="NX 350 LC",
        equipment_id="EX-07",
        serial_number="30117",
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

_XML_PIECE = re.compile(r"<(\w+)[^>]*>[^<]*</\1>|<[^>]+>")


def first_page(issuer: str) -> Snapshot:
    """The first of three pages, of whose 100 machines one is shown."""
    pages = (("self", 1), ("next", 2), ("last", 3))
    links = tuple(Link(rel, f"{issuer}/api/v2/Fleet/{page}") for rel, page in pages)
    return Snapshot(SNAPSHOT_AT, (MACHINE,), links)


def one_machine(issuer: str) -> Snapshot:
    return Snapshot(SNAPSHOT_AT, (MACHINE,), (Link("self", f"{issuer}/api/v2/Fleet/Equipment/{PIN}"),))


def indented(xml: str) -> str:
    """One of our documents with a line for every element: on the wire it is a single line."""
    lines: list[str] = []
    depth = 0
    for piece in (found[0] for found in _XML_PIECE.finditer(xml)):
        depth -= piece.startswith("</")
        lines.append("  " * depth + piece)
        depth += "</" not in piece and not piece.startswith("<?")
    return "\n".join(lines) + "\n"
