"""Assets of the Rovi API take the shape of an ISO 15143-3 machine, so that the same checks serve both."""

from typing import Any

from app.aemp.model.errors import FlawError
from app.aemp.read.interpret import is_blank, parse_number

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


def iso_machine(asset: dict[str, Any]) -> dict[str, Any]:
    """Turn an asset into a machine. Raises FlawError when its metrics are malformed.

    The API has runtime in ms, odometer and altitude in cm, speed in cm/s, and nothing better for the engine than ignition.
    """
    metrics = asset.get("metrics")
    if metrics is None or metrics == []:  # an empty object of PHP is an empty list
        metrics = {}
    if not isinstance(metrics, dict):
        raise FlawError("metrics is not an object")
    return {
        "equipmentheader": _header(asset),
        "location": _location(metrics),
        "cumulativeoperatinghours": _reading(metrics, "engine-runtime", "hour", 1 / _MS_PER_HOUR),
        "distance": _reading(metrics, "odometer", "odometer", 1 / _CM_PER_KM),
        "enginestatus": _reading(metrics, "ignition", "running"),
        "fuelremaining": None
        if _value(metrics, "fuel") == _NO_VALUE
        else _reading(metrics, "fuel", "percent"),
        "speed": _reading(metrics, "speed", "speed", _KMH_PER_CM_PER_S),
        "switchstatus": [_switch(metrics, number) for number in _INPUTS],
    }


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
        located["altitude"] = parse_number("altitude", altitude) / _CM_PER_M
    return located


def _reading(
    metrics: dict[str, Any], name: str, child: str, scale: float | None = None
) -> dict[str, Any] | None:
    value = _value(metrics, name)
    if value is None:
        return None
    scaled = value if scale is None else parse_number(name, value) * scale
    return {child: scaled, "datetime": _collected_on(metrics, name)}


def _switch(metrics: dict[str, Any], number: int) -> dict[str, Any] | None:
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
