"""The telemetry endpoint: batches from devices and gateways, what is kept of them, and what is refused."""

from app.aemp.history.history import FURTHER_ELEMENTS
from app.web.api.telemetry import MOST_BATCH_BYTES, READERS, WRITE
from app.web.paths import TELEMETRY
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
            "description": "How many of them were new, or differed from the known reading.",
        },
        "rejected": {
            "type": "array",
            "items": schema_ref("RejectedReading"),
            "description": "Every reading that is not kept, with the reason. All others are kept.",
        },
    },
}

REJECTED: Json = {
    "type": "object",
    "required": ["reason"],
    "properties": {
        "line": {"type": "integer", "minimum": 1, "description": "The line of the body, if it has lines."},
        "machine": {
            "type": "integer",
            "minimum": 1,
            "description": "The number of the machine in the document.",
        },
        "reading": {
            "type": "string",
            "description": "The element. It is missing when the line cannot be read.",
        },
        "datetime": {
            "type": "string",
            "format": "date-time",
            "description": "The reading's time, if it has one.",
        },
        "reason": {"type": "string", "description": "An explanation for people. Its words may change."},
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
    "Send JSON lines, one for each machine. A line has `PIN`, `SerialNumber` or `EquipmentID`; the first of them decides. "
    "`OEMName` and `Model` count too beside a serial number. The line has elements of ISO 15143-3, each a reading or a list of "
    "readings with its `datetime`. Or send an ISO 15143-3 document, of a fleet or of one series. "
    f"Beside the elements of a fleet there are {_FURTHER}. Repeating a reading changes nothing. "
    "A late reading takes its place in the history, and the latest figure for a time counts. You need the scope "
    "`telemetry:write`. An application registered for a customer writes for that customer's machines. RoviTracker's own "
    "application writes for everybody's machines, by PIN or serial number."
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
        "The result of the batch.",
        json_content("Taken", {"lines": example("One reading that cannot be true", examples.TAKEN)}),
        headers={"Cache-Control": "NoStore"},
    ),
    "400": aemp_refusal(
        400,
        "The body is not a document, or the request is malformed.",
        (
            "malformed_document",
            "The body is neither XML nor JSON.",
            "The body cannot be read: neither XML nor JSON.",
        ),
        refused.MALFORMED,
        forms=_FORMS,
    ),
    "401": ref("responses", "AempRefusal401"),
    "403": ref("responses", "AempRefusal403"),
    "413": aemp_refusal(
        413,
        "The batch is too large. Send several smaller ones.",
        (
            "invalid_request",
            "The body is larger than a mebibyte.",
            f"the body is larger than {MOST_BATCH_BYTES} bytes",
        ),
        forms=_FORMS,
    ),
    "415": aemp_refusal(
        415,
        "The service does not read this format.",
        (
            "unsupported_media_type",
            "`Content-Type` names none of our formats, or the body is compressed.",
            f"Send one of {', '.join(READERS)}, without a Content-Encoding.",
        ),
        forms=_FORMS,
    ),
    "429": aemp_refusal(
        429,
        "Too many attempts failed.",
        refused.SLOW_DOWN,
        forms=_FORMS,
        headers={"Retry-After": "RetryAfter"},
    ),
    "503": ref("responses", "AempRefusal503"),
}
