"""Coordinates outside the globe are refused with the value that was seen, and those on its edge are kept."""

import pytest

from app.aemp.model.elements import ELEMENTS
from app.aemp.model.errors import FlawError
from app.aemp.model.values import Location
from app.aemp.read.interpret import read_element

[LOCATION] = [element for element in ELEMENTS if element.name == "Location"]


def read(latitude: object, longitude: object) -> object:
    place = {"latitude": latitude, "longitude": longitude, "datetime": "2024-05-06T12:00:00Z"}
    return read_element(LOCATION, place)


@pytest.mark.parametrize(
    ("latitude", "longitude", "seen"),
    [
        ("90.0000001", "1", "Latitude is 90.0000001, outside"),
        (-90.0000001, 1.0, "Latitude is -90.0000001, outside"),
        ("1", "180.0000001", "Longitude is 180.0000001, outside"),
        (1, -180.0000001, "Longitude is -180.0000001, outside"),
        ("91.2345678", "1", "Latitude is 91.2345678, outside"),
        (1, "1234567.8912", "Longitude is 1234567.8912, outside"),
        ("515000000", 1, "Latitude is 515000000, outside"),
    ],
)
def test_coordinate_outside_the_globe_is_refused_with_the_value_seen(
    latitude: object, longitude: object, seen: str
) -> None:
    """Rounded to six figures it was told as 90, outside -90 to 90."""
    with pytest.raises(FlawError) as refused:
        read(latitude, longitude)
    assert seen in str(refused.value)


@pytest.mark.parametrize(("latitude", "longitude"), [(90, 180), (-90, -180), (89.9999999, -179.9999999)])
def test_coordinate_on_the_edge_of_the_globe_is_kept(latitude: float, longitude: float) -> None:
    found = read(latitude, longitude)
    assert isinstance(found, Location)
    assert (found.latitude, found.longitude) == (latitude, longitude)
