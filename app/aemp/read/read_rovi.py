"""Assets of the Rovi API take the shape of an ISO 15143-3 machine, so that the same checks serve both."""

from collections.abc import Callable
from functools import partial
from typing import Any

from app.aemp.model.errors import FlawError
from app.aemp.model.plausible import says_nothing
from app.aemp.read.children import is_blank, parse_number

_MS_PER_HOUR = 3_600_000
_CM_PER_KM = 100_000
_CM_PER_M = 100
_KMH_PER_CM_PER_S = 0.036
_INPUTS = range(1, 5)
_NO_VALUE = 999  # what the trackers send for a sensor that is not there


def is_asset(machine: Any) -> bool:
    return isinstance(machine, dict) and "assetid" in machine


def is_area(machine: Any) -> bool:
    """An area on the map is an asset too, but no machine."""
    return is_asset(machine) and machine.get("type") == "area"


def iso_machine(asset: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str | None, str]]]:
    """Turn an asset into a machine, and name each element that is malformed, with the reason.

    The API has runtime in ms, odometer and altitude in cm, speed in cm/s, and nothing better for the engine than ignition.
    """
    machine: dict[str, Any] = {"equipmentheader": _header(asset)}
    flaws: list[tuple[str | None, str]] = []
    try:
        metrics = _metrics(asset)
    except FlawError as flaw:
        return machine, [(None, str(flaw))]
    for element, make in _ELEMENTS:
        try:
            machine.setdefault(element.lower(), []).append(make(metrics))
        except FlawError as flaw:
            flaws.append((element, str(flaw)))
    return machine, flaws


def _metrics(asset: dict[str, Any]) -> dict[str, Any]:
    metrics = asset.get("metrics")
    if metrics is None or metrics == []:  # an empty object of PHP is an empty list
        metrics = {}
    if not isinstance(metrics, dict):
        raise FlawError("metrics is not an object")
    return metrics


def _header(asset: dict[str, Any]) -> dict[str, Any]:
    """A nameless asset goes by its id, or it could not be found again at the next import."""
    return {
        "equipmentid": asset["assetid"] if is_blank(asset.get("name")) else asset["name"],
        "serialnumber": asset.get("serialnumber"),
        "pin": asset.get("vin"),
    }


def _location(metrics: dict[str, Any]) -> dict[str, Any] | None:
    """The altitude counts only when it was taken with the position."""
    position = _value(metrics, "gps")
    if position is None:
        return None
    if not isinstance(position, dict):
        raise FlawError("gps is not an object")
    at = _collected_on(metrics, "gps")
    located = {"latitude": position.get("lat"), "longitude": position.get("lng"), "datetime": at}
    altitude = _value(metrics, "altitude")
    if altitude is not None and _collected_on(metrics, "altitude") == at:
        told = parse_number("altitude", altitude)
        located["altitude"] = None if says_nothing("altitude", told) else told / _CM_PER_M
    return located


def _reading(
    metrics: dict[str, Any], name: str, child: str, scale: float | None = None
) -> dict[str, Any] | None:
    value = _value(metrics, name)
    if value is None:
        return None
    scaled = value if scale is None else _figure(name, value) * scale
    return {child: scaled, "datetime": _collected_on(metrics, name)}


def _figure(name: str, value: Any) -> float:
    """Judged before it is scaled, which would make a plausible figure of one that says nothing."""
    figure = parse_number(name, value)
    if sign := says_nothing(name, figure):
        raise FlawError(f"{name} is {figure:.12g}, which says that there is none ({sign})")
    return figure


def _fuel(metrics: dict[str, Any]) -> dict[str, Any] | None:
    return None if _value(metrics, "fuel") == _NO_VALUE else _reading(metrics, "fuel", "percent")


def _switch(number: int, metrics: dict[str, Any]) -> dict[str, Any] | None:
    reading = _reading(metrics, f"input{number}", "switchstate")
    return reading and reading | {"switchnumber": number}


def _value(metrics: dict[str, Any], name: str) -> Any:
    metric = metrics.get(name)
    if metric is None:
        return None
    if not isinstance(metric, dict):
        raise FlawError(f"{name} is not an object")
    if "value" not in metric:
        raise FlawError(f"{name} has no value")
    return metric["value"]


def _collected_on(metrics: dict[str, Any], name: str) -> Any:
    meta = metrics[name].get("meta")
    if not isinstance(meta, dict | None):
        raise FlawError(f"meta of {name} is not an object")
    return meta and meta.get("collectedon")


_ELEMENTS: tuple[tuple[str, Callable[[dict[str, Any]], dict[str, Any] | None]], ...] = (
    ("Location", _location),
    (
        "CumulativeOperatingHours",
        partial(_reading, name="engine-runtime", child="hour", scale=1 / _MS_PER_HOUR),
    ),
    ("Distance", partial(_reading, name="odometer", child="odometer", scale=1 / _CM_PER_KM)),
    ("EngineStatus", partial(_reading, name="ignition", child="running")),
    ("FuelRemaining", _fuel),
    ("Speed", partial(_reading, name="speed", child="speed", scale=_KMH_PER_CM_PER_S)),
    *(("SwitchStatus", partial(_switch, number)) for number in _INPUTS),
)
