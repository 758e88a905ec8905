"""The time zones there are, by their IANA names, and how the zone of a moment is called."""

from datetime import UTC, datetime, tzinfo
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DATA = files("tzdata")
# As the pinned package lists them, so that every host accepts the same. `Factory` says that nobody chose one.
ZONE_NAMES = frozenset((_DATA / "zones").read_text().split()) - {"Factory"}


def read_common_zones() -> dict[str, tuple[str, ...]]:
    """The zones that the database names for a country, by area.

    Areas and zones come in the order of the alphabet.
    """
    table = (_DATA / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines()
    names = sorted(line.split("\t")[2] for line in table if not line.startswith("#"))
    areas = dict.fromkeys(name.partition("/")[0] for name in names)
    return {area: tuple(name for name in names if name.startswith(f"{area}/")) for area in areas}


def zone_named(name: str) -> tzinfo:
    """The zone's rules: those of the host, else of the package `tzdata`.

    UTC where neither knows the name, so that pages are still written; they say which zone a moment is in.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def zone_of(local: datetime) -> str:
    """The letters that the zone has then, such as CET. The distance from UTC where it has none."""
    letters, distance = local.tzname() or "", local.strftime("%z")
    return letters if letters.isalpha() else f"UTC{distance[:3]}:{distance[3:5]}"
