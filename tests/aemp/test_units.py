"""Units of other providers are worth what they are worth."""

import pytest

from app.aemp.model.errors import FlawError
from app.aemp.model.units import factor


@pytest.mark.parametrize(
    ("stated", "ours", "worth"),
    [
        ("kilometre", "kilometre", 1.0),
        ("miles", "kilometre", 1.609344),
        ("metre", "kilometre", 0.001),
        ("feet", "metre", 0.3048),
        ("gallon", "litre", 3.785411784),
        ("imperial gallons", "litre", 4.54609),
        ("metric_ton", "kilogram", 1000.0),
        ("lb", "kilogram", 0.45359237),
        ("kilometers per hour", "kilometres per hour", 1.0),
        ("Miles  Per Hour", "kilometres per hour", 1.609344),
        ("m/s", "kilometres per hour", 3.6),
        (" METRES ", "metre", 1.0),
    ],
)
def test_figures_are_multiplied_by_what_the_unit_is_worth(stated: str, ours: str, worth: float) -> None:
    assert factor(stated, ours) == pytest.approx(worth)


@pytest.mark.parametrize("stated", ["", "ton", "litre", "parsec", "kilometre "[:4]])
def test_units_of_another_quantity_or_meaning_are_refused(stated: str) -> None:
    with pytest.raises(FlawError):
        factor(stated, "kilometre")
