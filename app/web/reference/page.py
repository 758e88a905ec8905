"""The OpenAPI document read into what the documentation page shows, so that the two cannot differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from itertools import islice
from typing import cast

import orjson
from markupsafe import Markup

from app.web.reference.document import describe
from app.web.reference.introduction import TAGS
from app.web.reference.notation import Json
from app.web.reference.sample_request import address_of, curl_of

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, a field of a form, or a member of an answer. values: the only ones it takes."""

    name: str
    text: Markup
    required: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """Something to read or to copy, letter by letter."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """error: what programs read; empty where people are told by a page."""

    status: str
    error: str
    text: Markup


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    further_fields: those that its first example does without. bodies: media types of a body that is no form.
    """

    anchor: str
    method: str
    path: str
    title: str
    text: Markup
    credentials: Markup
    fields: tuple[Field, ...]
    further_fields: tuple[Field, ...]
    bodies: tuple[str, ...]
    requests: tuple[Sample, ...]
    formats: tuple[str, ...]
    answer: Markup
    members: tuple[Field, ...]
    answers: tuple[Sample, ...]
    refusals: tuple[Refusal, ...]
    comes_back: "ComesBack | None"


@dataclass(frozen=True, slots=True)
class ComesBack:
    """What a browser later brings to the application's own address."""

    title: str
    text: Markup
    fields: tuple[Field, ...]
    sample: Sample


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    title: str
    text: Markup
    operations: tuple[Operation, ...]


@cache
def read_reference(issuer: str) -> tuple[Section, ...]:
    document = describe(issuer)
    return tuple(
        Section(tag.name, tag.title, rich(tag.text), tuple(_operations(document, tag.name))) for tag in TAGS
    )


@cache
def read_elements(issuer: str) -> tuple[Field, ...]:
    """What a machine can report."""
    document = describe(issuer)
    listed = document["components"]["schemas"]["Equipment"]["properties"]
    elements = {name: _resolved(document, each) for name, each in listed.items() if name != "EquipmentHeader"}
    return tuple(
        Field(name, rich(f"{element['description']} {_parts(element)}")) for name, element in elements.items()
    )


def rich(text: str) -> Markup:
    """Text with `code` in it, the one piece of CommonMark that our descriptions use."""
    pieces = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if number % 2 else piece
        for number, piece in enumerate(pieces)
    )


def _parts(element: Json) -> str:
    properties: Json = element["properties"]
    units = {
        name.removesuffix("Units"): each["const"] for name, each in properties.items() if "const" in each
    }
    measured = {"Odometer": "Odometer", "FuelConsumed": "Fuel"}
    named = [
        f"`{name}` ({unit})" if (unit := units.get(measured.get(name, name))) else f"`{name}`"
        for name in properties
        if name != "datetime" and not name.endswith("Units")
    ]
    return ", ".join(named)


def _operations(document: Json, tag: str) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"] and "x-form-of" not in operation:
                yield _operation(document, path, method, operation)


def _forms_of(document: Json, operation_id: str) -> Iterator[tuple[str, Json]]:
    """Further forms of an operation's address, about which there is nothing else to say."""
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if operation.get("x-form-of") == operation_id:
                yield path, operation


def _operation(document: Json, path: str, method: str, operation: Json) -> Operation:
    answers = {status: _resolved(document, each) for status, each in operation["responses"].items()}
    success = next(iter(answers.values()))
    fields = tuple(_fields(document, operation))
    usual = _usual(document, operation)
    return Operation(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        title=operation["summary"],
        text=rich(operation["description"]),
        credentials=_credentials(operation["security"]),
        fields=tuple(field for field in fields if field.name in usual),
        further_fields=tuple(field for field in fields if field.name not in usual),
        bodies=tuple(name for name in _bodies(operation) if name != _FORM),
        requests=tuple(_requests(document, path, method, operation)),
        formats=tuple(success.get("content", {})),
        answer=rich(success["description"]),
        members=tuple(_members(document, success)),
        answers=(*_samples(success), *islice(_refused_samples(answers), 1)),
        refusals=tuple(_refusals(answers)),
        comes_back=_comes_back(operation),
    )


def _resolved(document: Json, part: Json) -> Json:
    if "$ref" not in part:
        return part
    _, _, section, name = part["$ref"].split("/")
    return cast("Json", document["components"][section][name])


def _credentials(security: list[Json]) -> Markup:
    names = {name for alternative in security for name in alternative}
    if "basic" in names:
        return rich("`client_id` and `client_secret`, by HTTP Basic or as fields; or `client_assertion`")
    if "bearer" in names:
        return rich("An access token: `Authorization: Bearer ...`")
    return rich("None")


def _bodies(operation: Json) -> Json:
    """What a request may bring, by media type."""
    return cast("Json", operation.get("requestBody", {}).get("content", {}))


def _usual(document: Json, operation: Json) -> set[str]:
    """Names of the parameters that the first example has."""
    parameters = (_resolved(document, each) for each in operation.get("parameters", ()))
    forms = _bodies(operation).get(_FORM, {}).get("examples", {})
    in_form: set[str] = set(next((form["value"] for form in forms.values()), ()))
    return in_form | {each["name"] for each in parameters if "example" in each}


def _fields(document: Json, operation: Json) -> Iterator[Field]:
    for parameter in (_resolved(document, each) for each in operation.get("parameters", ())):
        yield _parameter(parameter)
    schema: Json = _bodies(operation).get(_FORM, {}).get("schema", {})
    for name, field in schema.get("properties", {}).items():
        yield _field(name, field, required=name in schema["required"])


def _parameter(parameter: Json) -> Field:
    described = {**parameter["schema"], "description": parameter["description"]}
    return _field(parameter["name"], described, required=parameter["required"])


def _field(name: str, schema: Json, *, required: bool) -> Field:
    return Field(name, rich(schema["description"]), required, tuple(map(str, schema.get("enum", ()))))


def _requests(document: Json, path: str, method: str, operation: Json) -> Iterator[Sample]:
    issuer = document["servers"][0]["url"]
    parameters = [_resolved(document, each) for each in operation.get("parameters", ())]
    address = address_of(issuer, path, parameters)
    for media_type, content in _bodies(operation).items():
        for each in content.get("examples", {}).values():
            if media_type == _FORM:
                yield Sample(each["summary"], curl_of(address, operation, each["value"]))
            else:
                sent = curl_of(address, operation, body=(media_type, each["value"]))
                yield Sample(f"{each['summary']} ({media_type})", sent)
    if method == "get":
        is_page = "text/html" in operation["responses"]["200"].get("content", {})
        yield Sample("The link", address) if is_page else Sample("Request", curl_of(address, operation))
        for other, form in _forms_of(document, operation["operationId"]):
            parameters = [_resolved(document, each) for each in form["parameters"]]
            yield Sample(other, curl_of(address_of(issuer, other, parameters), form))


def _members(document: Json, answer: Json) -> Iterator[Field]:
    """The JSON form of an answer, whatever other form it has; fleets have a table of their own."""
    content = answer.get("content", {})
    if next(iter(content), None) != "application/json":
        return
    schema = _resolved(document, content["application/json"]["schema"])
    schema = _resolved(document, schema.get("oneOf", [schema])[0])
    for name, member in schema["properties"].items():
        if "description" in member:
            yield _field(name, member, required=name in schema["required"])


def _samples(answer: Json) -> Iterator[Sample]:
    for media_type, content in answer.get("content", {}).items():
        for example in content.get("examples", {}).values():
            yield Sample(f"{example['summary'].rstrip('.')} ({media_type})", _text_of(example))


def _refused_samples(answers: Json) -> Iterator[Sample]:
    for status, answer in list(answers.items())[1:]:
        for media_type, content in answer.get("content", {}).items():
            for name, example in content.get("examples", {}).items():
                yield Sample(f"Refused: {status} {name} ({media_type})", _text_of(example))


def _text_of(example: Json) -> str:
    value = example["value"]
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _refusals(answers: Json) -> Iterator[Refusal]:
    for status, answer in list(answers.items())[1:]:
        shown = f"{status} {HTTPStatus(int(status)).phrase}"
        cases = next((each.get("examples") for each in answer.get("content", {}).values()), None)
        if not cases:
            yield Refusal(shown, "", rich(answer["description"]))
            continue
        for name, case in cases.items():
            yield Refusal(shown, name, rich(case["summary"]))


def _comes_back(operation: Json) -> ComesBack | None:
    callbacks = operation.get("callbacks")
    if callbacks is None:
        return None
    got = callbacks["answer"]["{$request.query.redirect_uri}"]["get"]
    own = next(each["example"] for each in operation["parameters"] if each["name"] == "redirect_uri")
    issued = [
        {**each, "example": each.get("example", each["schema"].get("const"))} for each in got["parameters"]
    ]
    return ComesBack(
        got["summary"],
        rich(got["description"]),
        tuple(_parameter(each) for each in got["parameters"]),
        Sample("Approved", address_of("", own, [each for each in issued if each["example"] is not None])),
    )
