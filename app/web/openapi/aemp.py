"""The AEMP API: fleets and single machines, as ISO 15143-3 (v2) and AEMP 1.2 (v1)."""

import orjson

from app.aemp.negotiation import Representation
from app.aemp.paging import PAGE_SIZE
from app.aemp.render_json import render_fleet_v2_json
from app.aemp.render_xml import render_fleet_v1_xml, render_fleet_v2_xml
from app.aemp.snapshot import Snapshot
from app.oauth.scope import DEFAULT_SCOPE
from app.web.openapi import examples
from app.web.openapi.notation import AempCase, Json, aemp_refusal, answer, example, ref, schema_ref

_SECURED = [{"bearer": []}, {"oauth2": [DEFAULT_SCOPE]}]
_SENT = {"Cache-Control": "Private", "Vary": "Varies"}
_CHALLENGED = {"WWW-Authenticate": "BearerChallenge"}

_XML = (Representation.XML,)
_JSON_AND_XML = (Representation.JSON, Representation.XML)

# Name of an example, when it happens, and the words that are sent.
_INVALID_TOKEN: AempCase = (
    "invalid_token",
    "It expired, or was revoked by you or by the customer. Offer the customer to connect again.",
    "the access token is unknown, expired or revoked",
)
_NO_TOKEN: AempCase = (
    "unauthorized",
    "There is no `Authorization: Bearer` header.",
    "Send an access token: Authorization: Bearer ...",
)
_TOO_NARROW: AempCase = (
    "insufficient_scope",
    "It lacks the scope, or acts for no customer.",
    "the access token does not reach this far",
)
_MALFORMED: AempCase = (
    "invalid_request",
    "The `Authorization` header holds more than one token.",
    "the Authorization header is not Bearer and one token",
)
_NOT_A_PAGE: AempCase = (
    "invalid_page",
    "`page` is no decimal number.",
    "A page is a decimal number; the first page is 1.",
)
_NO_PAGE: AempCase = (
    "page_not_found",
    "Past the end.",
    "There is no such page. The link with rel `last` names the last one.",
)
_NO_MACHINE: AempCase = (
    "equipment_not_found",
    "No such machine, or another customer's.",
    "There is no such machine in this fleet.",
)
_SLOW_DOWN: AempCase = (
    "slow_down",
    "Too many tokens from your address were none of ours. Try again after `Retry-After` seconds.",
    "too many failed attempts from here: wait, and try again",
)
_AWAY: AempCase = (
    "temporarily_unavailable",
    "Try again after `Retry-After` seconds.",
    "Please try again shortly.",
)

PARAMETERS: Json = {
    "page": {
        "name": "page",
        "in": "path",
        "required": True,
        "description": f"Counted from 1, {PAGE_SIZE} machines each. The `next` link saves you counting.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 1,
    }
}


def _machine_named(name: str, description: str) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": f"{description} Percent-encoded; upper and lower case are the same.",
        "schema": {"type": "string", "minLength": 1},
        "example": examples.PIN,
    }


def _v2_content(snapshot: Snapshot, summary: str) -> Json:
    in_xml = examples.indented(render_fleet_v2_xml(snapshot).decode())
    in_json = orjson.loads(render_fleet_v2_json(snapshot))
    return {
        "application/json": {
            "schema": schema_ref("Fleet"),
            "examples": {"fleet": example(summary, in_json)},
        },
        "application/xml": {"schema": schema_ref("Fleet"), "examples": {"fleet": example(summary, in_xml)}},
        "text/xml": {"schema": schema_ref("Fleet")},
        "application/xml; version=20190501": {"schema": schema_ref("Fleet20190501")},
        # With every time and link in a second, capitalised spelling, for the readers that were built for those.
        "application/iso15143-snapshot+json": {"schema": schema_ref("Fleet")},
    }


def _v1_content(snapshot: Snapshot, summary: str) -> Json:
    in_xml = examples.indented(render_fleet_v1_xml(snapshot).decode())
    return {
        "application/xml": {
            "schema": schema_ref("FleetAemp12"),
            "examples": {"fleet": example(summary, in_xml)},
        },
        "text/xml": {"schema": schema_ref("FleetAemp12")},
    }


def _refusals(forms: tuple[Representation, ...], missing: AempCase, *malformed: AempCase) -> Json:
    served = "application/xml, text/xml"
    if forms == _JSON_AND_XML:
        served += ", application/iso15143-snapshot+json, application/json"
    unserved = ("not_acceptable", "`Accept` names none of our formats.", f"This address serves {served}.")
    return {
        "400": aemp_refusal(400, "The request is malformed.", *malformed, forms=forms),
        "401": aemp_refusal(
            401,
            "No token, or one that does not work.",
            _INVALID_TOKEN,
            _NO_TOKEN,
            forms=forms,
            headers=_CHALLENGED,
        ),
        "403": aemp_refusal(
            403, "The token does not cover this.", _TOO_NARROW, forms=forms, headers=_CHALLENGED
        ),
        "404": aemp_refusal(404, "Not in this customer's fleet.", missing, forms=forms),
        "406": aemp_refusal(406, "We have no such format.", unserved, forms=_XML),
        "429": aemp_refusal(
            429, "Too many failures of yours.", _SLOW_DOWN, forms=forms, headers={"Retry-After": "RetryAfter"}
        ),
        "503": aemp_refusal(
            503, "We are briefly away.", _AWAY, forms=forms, headers={"Retry-After": "RetryAfter"}
        ),
    }


def _operation(operation_id: str, summary: str, description: str, parameter: Json, responses: Json) -> Json:
    return {
        "get": {
            "operationId": operation_id,
            "tags": ["aemp"],
            "summary": summary,
            "description": description,
            "security": _SECURED,
            "parameters": [parameter],
            "responses": responses,
        }
    }


def _found(description: str, content: Json) -> Json:
    return {"200": answer(description, content, headers=_SENT)}


def paths(issuer: str) -> Json:
    first_page, one_machine = examples.first_page(issuer), examples.one_machine(issuer)
    page = ref("parameters", "page")
    shortened = "The first of three pages, shortened to one of its 100 machines"
    single = "A fleet of one"
    one = "The machine."
    full = f"{PAGE_SIZE} machines; fewer on the last page."
    return {
        "/api/v2/Fleet/{page}": _operation(
            "readFleet",
            "Read the fleet",
            "ISO 15143-3 (AEMP 2.0), page by page: follow the link `next`; the last page has none. XML unless `Accept` asks "
            "for JSON. Sent compressed with `Accept-Encoding: gzip`. Read on within half an hour of page 1, and each machine that "
            "stays is on exactly one page, whatever joins or leaves meanwhile.",
            page,
            _found(full, _v2_content(first_page, shortened))
            | _refusals(_JSON_AND_XML, _NO_PAGE, _NOT_A_PAGE, _MALFORMED),
        ),
        "/api/v2/Fleet/Equipment/{identifier}": _operation(
            "readEquipment",
            "Read one machine",
            "The same document with one machine in it.",
            _machine_named(
                "identifier", "Its PIN or VIN, its serial number, or the customer's own number for it."
            ),
            _found(one, _v2_content(one_machine, single)) | _refusals(_JSON_AND_XML, _NO_MACHINE, _MALFORMED),
        ),
        "/api/v1/Fleet/{page}": _operation(
            "readFleetAemp12",
            "Read the fleet as AEMP 1.2",
            "For software made for the first version of the standard. XML only, and without links: read on until a page is "
            "not found.",
            page,
            _found(full, _v1_content(first_page, shortened))
            | _refusals(_XML, _NO_PAGE, _NOT_A_PAGE, _MALFORMED),
        ),
        "/api/v1/Fleet/Equipment/{vin}": _operation(
            "readEquipmentAemp12",
            "Read one machine as AEMP 1.2",
            "The same document with one machine in it.",
            _machine_named("vin", "Its VIN or PIN, its serial number, or the customer's own number for it."),
            _found(one, _v1_content(one_machine, single)) | _refusals(_XML, _NO_MACHINE, _MALFORMED),
        ),
    }
