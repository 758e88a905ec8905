"""Readings in: batches of devices and gateways, what is kept of them, and what is refused."""

from app.aemp.history.history import FURTHER_ELEMENTS
from app.web.api.telemetry import MOST_BATCH_BYTES, READERS, TELEMETRY, WRITE
from app.web.reference import aemp_refusals as refused
from app.web.reference import examples
from app.web.reference.notation import Json, aemp_refusal, answer, example, json_content, ref, schema_ref

_LINES = "application/x-ndjson"
_FORMS = refused.JSON_AND_XML

_FURTHER = ", ".join(f"`{element.name}`" for element in FURTHER_ELEMENTS)

TAKEN: Json = {
    "type": "object",
    "required": ["accepted", "stored", "rejected"],
    "properties": {
        "accepted": {"type": "integer", "minimum": 0, "description": "Readings that are kept."},
        "stored": {
            "type": "integer",
            "minimum": 0,
            "description": "How many of them were new, or told something else than was known.",
        },
        "rejected": {
            "type": "array",
            "items": schema_ref("RejectedReading"),
            "description": "Every reading that is not kept, and why; all others are.",
        },
    },
}

REJECTED: Json = {
    "type": "object",
    "required": ["reason"],
    "properties": {
        "line": {"type": "integer", "minimum": 1, "description": "The line of the body, where it has lines."},
        "machine": {"type": "integer", "minimum": 1, "description": "Which machine of the document."},
        "reading": {"type": "string", "description": "The element; none where the line cannot be read."},
        "datetime": {"type": "string", "format": "date-time", "description": "Its time, where it has one."},
        "reason": {"type": "string", "description": "For people. Its words may change."},
    },
}


def paths() -> Json:
    return {
        TELEMETRY: {
            "post": {
                "operationId": "writeTelemetry",
                "tags": ["telemetry"],
                "summary": "Report readings",
                "description": _DESCRIPTION,
                "security": [{"bearer": []}, {"oauth2": [WRITE]}],
                "requestBody": {"required": True, "content": {name: _content(name) for name in READERS}},
                "responses": _RESPONSES,
            }
        }
    }


_DESCRIPTION = (
    "JSON lines, a machine each: `PIN`, `SerialNumber` or `EquipmentID`, the first of which decides, and elements of ISO "
    "15143-3, each a reading or a list of readings with its `datetime`. Or an ISO 15143-3 document, of a fleet or of one "
    f"series. Beside the elements of a fleet there are {_FURTHER}. The same again changes nothing; a late reading finds "
    "its place in the history, and the latest figure of a time counts. It needs the scope `telemetry:write`. An application "
    "registered for a customer writes for their machines; one of RoviTracker's own for everybody's, by PIN or serial number."
)


def _content(media_type: str) -> Json:
    if media_type != _LINES:
        return {"schema": {"type": "string"}}
    return {
        "schema": {"type": "string"},
        "examples": {"lines": example("Two machines, three lines", examples.LINES)},
    }


_RESPONSES: Json = {
    "200": answer(
        "What has become of the batch.",
        json_content("Taken", {"lines": example("One reading that cannot be true", examples.TAKEN)}),
        headers={"Cache-Control": "NoStore"},
    ),
    "400": aemp_refusal(
        400,
        "The body is no document, or the request is malformed.",
        (
            "malformed_document",
            "It is neither XML nor JSON.",
            "The body cannot be read: neither XML nor JSON.",
        ),
        refused.MALFORMED,
        forms=_FORMS,
    ),
    "401": ref("responses", "AempRefusal401"),
    "403": ref("responses", "AempRefusal403"),
    "413": aemp_refusal(
        413,
        "Send more batches instead.",
        (
            "invalid_request",
            "It is larger than a mebibyte.",
            f"the body is larger than {MOST_BATCH_BYTES} bytes",
        ),
        forms=_FORMS,
    ),
    "415": aemp_refusal(
        415,
        "We do not read that.",
        (
            "unsupported_media_type",
            "`Content-Type` names none of our formats, or the body is compressed.",
            f"Send one of {', '.join(READERS)}, without a Content-Encoding.",
        ),
        forms=_FORMS,
    ),
    "429": aemp_refusal(
        429, "Too many failures.", refused.SLOW_DOWN, forms=_FORMS, headers={"Retry-After": "RetryAfter"}
    ),
    "503": ref("responses", "AempRefusal503"),
}
