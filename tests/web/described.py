"""The OpenAPI document as a reader of it sees it: what it documents, and whether an answer is what it says."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

import httpx2
from lxml import etree
from openapi_schema_validator import OAS31Validator, oas31_format_checker

from app.web.reference.document import describe
from tests.support.browser import ORIGIN

Json = dict[str, Any]

FORM = "application/x-www-form-urlencoded"

# The shared service's own document; one test compares it with the one that is served.
DOCUMENT: Json = describe(ORIGIN)


@dataclass(frozen=True, slots=True)
class Operation:
    path: str
    method: str
    described: Json

    @property
    def id(self) -> str:
        return str(self.described["operationId"])

    @property
    def form(self) -> Json:
        content: Json = self.described.get("requestBody", {}).get("content", {}).get(FORM, {})
        return content

    def answer(self, status: int | str) -> Json:
        return resolved(self.described["responses"][str(status)])

    @property
    def parameters(self) -> list[Json]:
        return [resolved(each) for each in self.described.get("parameters", ())]


def operations() -> list[Operation]:
    return [
        Operation(path, method, described)
        for path, methods in DOCUMENT["paths"].items()
        for method, described in methods.items()
    ]


OPERATIONS = {operation.id: operation for operation in operations()}


@dataclass(frozen=True, slots=True)
class Documented:
    """One documented answer. name: its example's; empty where it has none. media_type: empty without a body."""

    operation: Operation
    status: str
    name: str
    media_type: str
    example: Any

    def __str__(self) -> str:
        return " ".join(
            filter(None, (self.operation.id, self.status, self.name, self.media_type.partition("/")[2]))
        )


def documented(operation: Operation) -> Iterator[Documented]:
    for status in operation.described["responses"]:
        answer = operation.answer(status)
        location = answer.get("headers", {}).get("Location", {}).get("examples", {})
        for name, example in location.items():
            yield Documented(operation, status, name, "", example["value"])
        for media_type, content in answer.get("content", {}).items():
            for name, example in content.get("examples", {"": {"value": None}}).items():
                yield Documented(operation, status, name, media_type, example["value"])
        if "content" not in answer and not location:
            yield Documented(operation, status, "", "", None)


def resolved(part: Json) -> Json:
    if "$ref" not in part:
        return part
    _, _, section, name = part["$ref"].split("/")
    return cast("Json", DOCUMENT["components"][section][name])


def check(value: object, schema: Json, *, strictly: bool = False) -> None:
    """strictly: what is not documented may not be there either."""
    whole = {**schema, "components": {"schemas": DOCUMENT["components"]["schemas"]}}
    if strictly:
        whole = deepcopy(whole)
        _close(whole)
    OAS31Validator(whole, format_checker=oas31_format_checker).validate(value)


def _close(schema: Any) -> None:
    if isinstance(schema, list):
        for each in schema:
            _close(each)
    elif isinstance(schema, dict):
        if schema.get("type") == "object":
            schema["additionalProperties"] = False
        for each in schema.values():
            _close(each)


def check_answer(answer: httpx2.Response, operation: Operation) -> None:
    """Status, headers and body are documented as they are."""
    described = operation.answer(answer.status_code)
    for name, each in described.get("headers", {}).items():
        header = resolved(each)
        value = answer.headers[name]
        check(int(value) if header["schema"].get("type") == "integer" else value, header["schema"])
    content = described.get("content")
    if content is None:
        assert answer.content == b""
        return
    written = answer.headers["content-type"].replace("; charset=utf-8", "")
    assert written in content, f"{written} is not among {list(content)}"
    schema = content[written]["schema"]
    check(
        body_of(answer.text, written, schema),
        schema,
        strictly="snapshot" not in written,  # it repeats names in a second spelling
    )


def body_of(text: str, media_type: str, schema: Json) -> object:
    if "json" in media_type:
        return httpx2.Response(200, text=text).json()
    if "xml" in media_type:
        root, described = etree.fromstring(text.encode()), resolved(schema)
        if "oneOf" in described:  # the root tells which
            each_root = {resolved(each)["xml"]["name"]: resolved(each) for each in described["oneOf"]}
            described = each_root[etree.QName(root).localname]
        xml = described["xml"]
        namespace = xml.get("namespace")
        assert root.tag == (f"{{{namespace}}}{xml['name']}" if namespace else xml["name"])
        return from_xml(root, described)
    return text


def from_xml(element: Any, schema: Json) -> object:
    """An element as the value its schema describes, by the rules of OpenAPI's XML object."""
    schema = resolved(schema)
    kind = schema.get("type")
    if kind != "object":
        readers: dict[str, Callable[[str], object]] = {
            "number": float,
            "integer": int,
            "boolean": "true".__eq__,
        }
        return readers.get(str(kind), str)(element.text or "")
    value: Json = dict(element.attrib)
    children: dict[str, list[Any]] = {}
    for child in element:
        children.setdefault(etree.QName(child).localname, []).append(child)
    for name, each in schema["properties"].items():
        member = resolved(each)
        found = children.pop(member.get("xml", {}).get("name", name), [])
        if member.get("type") == "array":
            value[name] = [from_xml(child, member["items"]) for child in found]
        elif found:
            assert len(found) == 1
            value[name] = from_xml(found[0], member)
    return {**value, **children}  # what is left is not documented
