"""Schemas of authorization details (RFC 9396): as an application asks by them, and as answers tell what was granted."""

from app.oauth.bounds import LONGEST_DETAILS, LONGEST_NAMED, MOST_LISTED, MOST_NAMED
from app.oauth.fleet_details import DAY_PATTERN, INSTANT_PATTERN, TYPE, FleetDetails
from app.web.reference.notation import Json

_TYPE: Json = {"const": TYPE, "description": "There is one type."}
_INSTANT: Json = {"type": "string", "pattern": INSTANT_PATTERN}

_ASKED: Json = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1,
    "items": {
        "type": "object",
        "required": ["type"],
        "additionalProperties": False,
        "properties": {
            "type": _TYPE,
            "identifiers": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_NAMED,
                "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAMED},
                "description": "Machines by PIN or VIN, serial number or the customer's own number. Without it the customer "
                "chooses, and the page begins with all.",
            },
            "history_from": {
                "type": "string",
                "anyOf": [{"pattern": DAY_PATTERN}, {"pattern": INSTANT_PATTERN}],
                "description": "Nothing that was reported before. A day begins at midnight in the customer's time zone.",
            },
            "ends_at": {**_INSTANT, "description": "When the connection ends by itself."},
        },
    },
}

# In a query the array is one text.
PARAMETER: Json = {
    "type": "string",
    "maxLength": LONGEST_DETAILS,
    "contentMediaType": "application/json",
    "contentSchema": _ASKED,
    "examples": [FleetDetails(("9NRA2B3C4M0030117",)).text],
}

GRANTED: Json = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1,
    "description": "What the customer shares. It stands here where you asked by `authorization_details`. Introspection also tells it "
    "where the customer chose machines or a part of the history.",
    "items": {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": _TYPE,
            "identifiers": {
                "type": "array",
                "maxItems": MOST_LISTED,
                "items": {"type": "string"},
                "description": "The machines, each by PIN, else serial number, else the customer's own number. It is missing where "
                "all are shared.",
            },
            "machine_count": {
                "type": "integer",
                "minimum": 1,
                "description": f"Stands in place of `identifiers` where there are more than {MOST_LISTED}, or one has no name.",
            },
            "history_from": {**_INSTANT, "description": "Nothing that was reported before is shown."},
            "ends_at": {**_INSTANT, "description": "When the connection ends by itself."},
        },
    },
}
