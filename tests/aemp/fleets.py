"""Machines of every kind, as a property test draws them: any element may be absent, and any text may be hostile."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from app.aemp.model.elements import ELEMENTS, Child, Element, Kind
from app.aemp.model.values import Equipment, EquipmentHeader, Reading

TEXTS = st.text(st.characters(exclude_categories=()), max_size=8) | st.sampled_from(
    [
        "",
        "NX 350 LC",
        "<&>\"'\\",
        "]]>",
        "\r\n\t",
        "\x00",
        "\ud800",
        "\uffff",
        "{0}%s%%",
        '","',
        "-0.00",
        "\xa0",
    ]
)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds it
# Few of them, since a machine tells most figures at one.
_SAME = st.sampled_from([datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 5, 4, 12, 0, 59, 999_999, UTC)])


def _value(child: Child) -> st.SearchStrategy[object]:
    match child.kind:
        case Kind.TEXT:
            value: st.SearchStrategy[object] = TEXTS
        case Kind.BOOLEAN:
            value = st.booleans()
        case Kind.INTEGER:
            value = st.integers(0, int(child.highest))
        case _:
            value = st.floats(child.lowest, child.highest) | st.sampled_from([0.0, -0.0, 0.004, 1937.2, 50.0])
            if child.lowest < 0:
                value |= st.sampled_from([-0.001, -0.5, -1e-8])
    return value if child.required else st.none() | value


def _reading(element: Element) -> st.SearchStrategy[Reading]:
    return st.builds(
        element.reading, at=_SAME | MOMENTS, **{child.attribute: _value(child) for child in element.children}
    )


_NAME = st.none() | TEXTS
HEADERS = st.builds(
    EquipmentHeader,
    unit_installed_at=st.none() | _SAME | MOMENTS,
    oem_name=_NAME,
    model=_NAME,
    equipment_id=_NAME,
    serial_number=_NAME,
    pin=_NAME,
)
MACHINES = st.builds(
    Equipment,
    header=HEADERS,
    **{element.attribute: st.none() | _reading(element) for element in ELEMENTS},
)
FLEETS = st.lists(MACHINES, max_size=4)
