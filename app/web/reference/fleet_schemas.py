"""Schemas of the AEMP documents, drawn from the table of elements that also writes them."""

from app.aemp.model.elements import ELEMENTS, HEADER, Child, Element, Kind
from app.aemp.write.render_xml import AEMP_1_2_NAMESPACE, ISO_20190501_NAMESPACE, ISO_NAMESPACE
from app.web.reference.notation import REFERENCE, Json, schema_ref

_TIME: Json = {"type": "string", "format": "date-time"}
_READ_AT: Json = {
    **_TIME,
    "description": "When the machine reported the reading.",
    "xml": {"attribute": True},
}
_SNAPSHOT_AT: Json = {
    **_TIME,
    "description": "When the newest reading in the document was reported.",
    "xml": {"attribute": True},
}
_VERSION: Json = {"type": "string", "xml": {"attribute": True}}
_DURATION: Json = {"type": "string", "pattern": "^P([0-9]+D)?T[0-9]+H[0-9]+M[0-9]+S$"}

_UNBOUNDED = 1e6  # from here on the table bounds figures that only grow, and that an offset may lift

_KINDS: dict[Kind, Json] = {
    Kind.TIME: _TIME,
    Kind.TEXT: {"type": "string"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.INTEGER: {"type": "integer", "minimum": 0},
    Kind.DECIMAL: {"type": "number"},
}

_MEANINGS = {
    "AverageLoadFactorLast24": "Average engine load in the last 24 hours.",
    "Location": "Where the machine was (WGS 84).",
    "CumulativeActiveRegenerationHours": "Hours of particle filter regeneration, since new.",
    "CumulativeIdleHours": "Hours with the engine idling, since new.",
    "CumulativeIdleNonOperatingHours": "Hours of idling without work, since new.",
    "CumulativeLoadCount": "Loads moved, since new.",
    "CumulativeOperatingHours": "Hours the engine ran, since new.",
    "CumulativePowerTakeOffHours": "Hours of power take-off, since new.",
    "CumulativePayloadTotals": "Weight moved, since new.",
    "DEFRemaining": "Diesel exhaust fluid (AdBlue) left in the tank.",
    "Distance": "The odometer.",
    "EngineStatus": "Whether an engine was running. Its number is always there, and empty when it is not known.",
    "FuelUsed": "Fuel burned, since new.",
    "FuelUsedLast24": "Fuel burned in the last 24 hours.",
    "FuelRemaining": "Fuel left in the tank.",
    "MaximumSpeedLast24": "Highest speed in the last 24 hours.",
}

_HEADER_MEANINGS = {
    "UnitInstallDateTime": "When the tracker was installed.",
    "OEMName": "The maker of the machine.",
    "Model": "The model. It is always there, and empty when it is not known.",
    "EquipmentID": "The customer's own number for the machine.",
    "SerialNumber": "The maker's number for the machine.",
    "PIN": "Product identification number. For a vehicle this is its VIN.",
}


def _child(child: Child) -> Json:
    if child.kind is not Kind.DECIMAL:
        return _KINDS[child.kind]
    highest = {"maximum": child.highest} if child.highest < _UNBOUNDED else {}
    return {**_KINDS[child.kind], "minimum": child.lowest, **highest}


def reading_schema(element: Element, meaning: str) -> Json:
    properties: Json = {"datetime": _READ_AT}
    required = ["datetime"]
    for child in element.children:
        properties[child.name] = _child(child)
        required += [child.name] * (child.required or child.always)
        if child.unit:
            properties[child.unit.name] = {"const": child.unit.spelling}
            required += [child.unit.name] * child.required
    return {
        "type": "object",
        "description": meaning,
        "required": required,
        "properties": properties,
    }


# One a snapshot element; series are made of the same.
READINGS: Json = {element.name: reading_schema(element, _MEANINGS[element.name]) for element in ELEMENTS}

EQUIPMENT_HEADER: Json = {
    "type": "object",
    "required": [child.name for child in HEADER if child.always],
    "properties": {
        child.name: {**_KINDS[child.kind], "description": _HEADER_MEANINGS[child.name]} for child in HEADER
    },
}

EQUIPMENT: Json = {
    "type": "object",
    "description": "One machine. Figures that it does not report are left out.",
    "required": ["EquipmentHeader"],
    "properties": {
        "EquipmentHeader": schema_ref("EquipmentHeader"),
        **{name: schema_ref(name) for name in READINGS},
    },
}

LINK: Json = {
    "type": "object",
    "required": ["rel", "href"],
    "properties": {
        "rel": {
            "type": "string",
            "description": "`self`, `first`, `prev`, `next`, `last`, or the name of a series.",
        },
        "href": {"type": "string", "format": "uri"},
        "Rel": {"type": "string", "description": "In JSON the same with a capital: `Next`, `Last`."},
        "Href": {"type": "string", "format": "uri", "description": "In JSON the same as `href`."},
    },
}

# As XML the two lists have no element around them: Links and Equipment simply repeat.
FLEET: Json = {
    "type": "object",
    "description": "Machines at one time, by ISO 15143-3. A single machine is a fleet of one.",
    "required": ["snapshotTime", "version", "Equipment"],
    "properties": {
        "snapshotTime": _SNAPSHOT_AT,
        "version": _VERSION,
        "Links": {"type": "array", "items": schema_ref("Link")},
        "Equipment": {"type": "array", "items": schema_ref("Equipment")},
    },
    "xml": {"name": "Fleet", "namespace": ISO_NAMESPACE},
}

FLEET_20190501: Json = {
    **FLEET,
    "description": "The same document in the namespace of the 2020 edition.",
    "xml": {"name": "Fleet", "namespace": ISO_20190501_NAMESPACE},
}


def _v1_reading(name: str, **properties: Json) -> Json:
    return {
        "type": "object",
        "description": _MEANINGS[name],
        "required": ["datetime", *(name for name in properties if not name.startswith("Altitude"))],
        "properties": {"datetime": _READ_AT, **properties},
    }


_LITERS: Json = {"const": "liters"}
_AMOUNT: Json = {"type": "number", "minimum": 0}

EQUIPMENT_1_2: Json = {
    "type": "object",
    "description": "One machine as AEMP 1.2 knows it. Figures that it does not report are left out.",
    "required": ["EquipmentHeader"],
    "properties": {
        "EquipmentHeader": {
            "type": "object",
            "required": ["Model"],
            "properties": {
                "UnitInstallDateTime": _TIME,
                "Make": {"type": "string"},
                "Model": {"type": "string"},
                "EquipmentID": {
                    "type": "string",
                    "description": "The customer's own number, or the PIN if there is none.",
                },
                "SerialNumber": {"type": "string"},
            },
        },
        "Location": _v1_reading(
            "Location",
            Latitude={"type": "number"},
            Longitude={"type": "number"},
            Altitude={"type": "object", "required": ["Meters"], "properties": {"Meters": {"type": "number"}}},
            AltitudeUnits={"const": "meters"},
        ),
        "CumulativeOperatingHours": _v1_reading("CumulativeOperatingHours", Hour=_DURATION),
        "FuelUsed": _v1_reading("FuelUsed", FuelUnits=_LITERS, FuelConsumed=_AMOUNT),
        "FuelUsedLast24": _v1_reading("FuelUsedLast24", FuelUnits=_LITERS, FuelConsumed=_AMOUNT),
        "Distance": _v1_reading("Distance", OdometerUnits={"const": "kilometers"}, Odometer=_AMOUNT),
    },
}

FLEET_1_2: Json = {
    "type": "object",
    "description": "Machines at one time, by AEMP 1.2.",
    "required": ["snapshotTime", "version", "Equipment"],
    "properties": {
        "snapshotTime": _SNAPSHOT_AT,
        "version": _VERSION,
        "Equipment": {"type": "array", "items": schema_ref("EquipmentAemp12")},
    },
    "xml": {"name": "Fleet", "namespace": AEMP_1_2_NAMESPACE},
}

AEMP_ERROR: Json = {
    "type": "object",
    "required": ["status", "code", "message", "reference"],
    "properties": {
        "status": {"type": "integer", "description": "The HTTP status.", "xml": {"name": "Status"}},
        "code": {
            "type": "string",
            "description": "The error's code, for programs.",
            "pattern": "^[a-z_]+$",
            "xml": {"name": "Code"},
        },
        "message": {
            "type": "string",
            "description": "An explanation for people. Its words may change.",
            "xml": {"name": "Message"},
        },
        "reference": {**REFERENCE, "xml": {"name": "Reference"}},
    },
    "xml": {"name": "Error"},
}
