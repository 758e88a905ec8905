"""OpenAPI's notation for the other files here: references, examples, answers and refusals."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.aemp.address.negotiation import Representation
from app.aemp.write.render_error import render_error
from app.oauth.errors import OAuthError
from app.web.error_pages import error_uri
from app.web.reference import examples

Json = dict[str, Any]

# Name of an example, when it happens, what is answered then.
Case = tuple[str, str, OAuthError]
AempCase = tuple[str, str, str]

# A member of every refusal, in JSON and in XML.
REFERENCE: Json = {
    "type": "string",
    "description": "Names this request, as `X-Request-Id` does. The application's owners find the exact cause by it.",
    "pattern": "^[A-Za-z0-9_-]{8,64}$",
}


def ref(section: str, name: str) -> Json:
    return {"$ref": f"#/components/{section}/{name}"}


def schema_ref(name: str) -> Json:
    return ref("schemas", name)


def example(summary: str, value: object) -> Json:
    return {"summary": summary, "value": value}


def answer(
    description: str, content: Json | None = None, *, headers: Mapping[str, str] | None = None
) -> Json:
    """headers: names of the wire, and the components that describe them."""
    written: Json = {"description": description}
    if headers:
        written["headers"] = {name: ref("headers", component) for name, component in headers.items()}
    return written if content is None else {**written, "content": content}


def json_content(schema: str, examples: Json) -> Json:
    return {"application/json": {"schema": schema_ref(schema), "examples": examples}}


def page_content(summary: str) -> Json:
    return {"text/html": {"schema": {"type": "string", "description": summary}}}


def refusal(issuer: str, description: str, *cases: Case, headers: Mapping[str, str] | None = None) -> Json:
    """A JSON error answer (RFC 6749 section 5.2), each case in the very words that are sent."""
    examples = {name: example(summary, _told(issuer, error)) for name, summary, error in cases}
    return answer(
        description,
        json_content("OAuthError", examples),
        headers={"Cache-Control": "NoStore", **(headers or {})},
    )


def _told(issuer: str, error: OAuthError) -> Json:
    told = {
        "error": error.code,
        "error_description": error.what,
        "error_uri": error_uri(issuer, error.code),
        "reference": examples.REFERENCE,
    }
    return {name: text for name, text in told.items() if text}


def aemp_refusal(
    status: int,
    description: str,
    *cases: AempCase,
    forms: Sequence[Representation],
    headers: Mapping[str, str] | None = None,
) -> Json:
    """An AEMP error document in each of the forms. Cases: code, when, message."""
    content = {
        representation.value.partition(";")[0]: {
            "schema": schema_ref("AempError"),
            "examples": {
                code: example(summary, _aemp_document(representation, status, code, message))
                for code, summary, message in cases
            },
        }
        for representation in forms
    }
    return answer(description, content, headers={"Cache-Control": "NoStore", **(headers or {})})


def _aemp_document(representation: Representation, status: int, code: str, message: str) -> object:
    _, body = render_error(representation, status, code, message, reference=examples.REFERENCE)
    return orjson.loads(body) if representation.is_json else body.decode()
