"""The AEMP API as ISO 15143-3 (v2) and AEMP 1.2 (v1): the fleet, machines and their series."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import orjson

from app.aemp.address.paging import PAGE_SIZE
from app.aemp.write.render_json import render_fleet_v2_json, render_series_json
from app.aemp.write.render_xml import render_fleet_v1_xml, render_fleet_v2_xml, render_series_xml
from app.aemp.write.snapshot import SeriesPage, Snapshot
from app.oauth.scope import DEFAULT_SCOPE
from app.web.paths import FLEET_BEFORE_V1, FLEET_V1, FLEET_V2
from app.web.reference import aemp_refusals as refused
from app.web.reference import examples
from app.web.reference.aemp_forms import BY_ID, BY_MAKE, DATES, MACHINE_FORMS, PARAMETERS, VIN, MachineForm
from app.web.reference.notation import Json, answer, example, ref, schema_ref

_SECURED = [{"bearer": []}, {"oauth2": [DEFAULT_SCOPE]}]
_SENT = {
    "Cache-Control": "Private",
    "Vary": "Varies",
    "ETag": "EntityTag",
    "RateLimit-Policy": "RateLimitPolicy",
    "RateLimit": "RateLimit",
    "Access-Control-Allow-Origin": "AnyOrigin",
}
_NOT_MODIFIED = answer("You have this document already: `If-None-Match` names its tag.", headers=_SENT)

_PARAMETER = re.compile(r"{(\w+)}")
_FULL = f"{PAGE_SIZE} machines; fewer on the last page."
_PAGE_IN_QUERY = ("pageInQuery",)
_UNNUMBERED = ("Read the first page", "The same as page 1. The query may name another page: `Fleet?page=2`.")
_SHORTENED = "The first of three pages, shortened to one of its 100 machines"
_ANY_FORM = (
    "You can also name the machine as `ID/{id}`, as `MakeModelSerial/{make}/{model}/{serial}`, or as the bare "
    "`{make}/{model}/{serial}`."
)


def paths(issuer: str) -> Json:
    written: Json = {}
    for each in (*_fleet(issuer), *_machines(issuer), *_series(issuer), *_index(issuer), *_aemp_1_2(issuer)):
        written |= each
    return written


def _fleet(issuer: str) -> Iterator[Json]:
    missing, malformed = (refused.NO_PAGE,), (refused.NOT_A_PAGE,)
    refusals = refused.refusals(refused.JSON_AND_XML, missing, malformed)
    said = (
        "ISO 15143-3 (AEMP 2.0), page by page. Follow the link `next`; the last page has none. Links have the form in which you "
        "asked, query included; of its parameters only `page` means anything. The answer is XML, unless "
        "`Accept` asks for JSON. `Accept-Encoding: gzip` or `zstd` compresses it. You may ask for page 1 without its number. "
        "A name in the place of the page is a machine's, as RoviTracker's earlier documentation had it. A decimal is always a "
        "page."
    )
    yield _operation(
        f"{FLEET_V2}/{{page}}",
        "readFleet",
        ("Read the fleet", said),
        _responses(_FULL, _fleet_content(examples.first_page(issuer), _SHORTENED)) | refusals,
    )
    yield _operation(
        FLEET_V2,
        "readFleetFirst",
        _UNNUMBERED,
        _responses(_FULL, _fleet_content(examples.first_page(issuer, FLEET_V2), _SHORTENED)) | refusals,
        form_of="readFleet",
        query=_PAGE_IN_QUERY,
    )


def _machines(issuer: str) -> Iterator[Json]:
    for form in MACHINE_FORMS:
        path = f"{FLEET_V2}/Equipment/{form.path}"
        content = _fleet_content(examples.one_machine(issuer + _filled(path)), "A fleet of one")
        yield _operation(
            path,
            f"readEquipment{form.name}",
            ("Read one machine", f"The same document with one machine in it. {_ANY_FORM}"),
            _responses("The machine.", content)
            | refused.refusals(refused.JSON_AND_XML, (refused.NO_MACHINE,)),
            form_of=_usual("readEquipment", form),
        )


def _series(issuer: str) -> Iterator[Json]:
    """With dates and a page, with dates, and without either; the first says everything else about all."""
    asked = {"readSeriesPage": (*DATES, "page"), "readSeriesBetween": DATES, "readSeries": ()}
    for name, further in asked.items():
        for form in MACHINE_FORMS:
            yield _series_operation(issuer, form, name, further)


def _series_operation(issuer: str, form: MachineForm, name: str, further: tuple[str, ...]) -> Json:
    path = "/".join((f"{FLEET_V2}/Equipment/{form.path}/{{series}}", *(f"{{{each}}}" for each in further)))
    content = _series_content(examples.series_page(issuer, _filled(path)), "Two readings")
    operation_id = name + form.name
    missing = (refused.NO_MACHINE, refused.NO_SERIES, refused.NO_PAGE)
    malformed = (*((refused.NOT_A_DATE, refused.NOT_A_RANGE) if further else ()), refused.NOT_A_PAGE)
    said = (
        f"Readings of one kind by time, page by page. Both dates are included, and 31 days are the most. Without dates the "
        f"series covers the last two weeks, and the links name the dates. {_ANY_FORM}"
    )
    return _operation(
        path,
        operation_id,
        ("Read a series", said),
        _responses(f"{PAGE_SIZE} readings; fewer on the last page.", content)
        | refused.refusals(refused.JSON_AND_XML, missing, malformed),
        form_of="readSeriesPage" if operation_id != "readSeriesPage" else "",
        query=() if "page" in further else _PAGE_IN_QUERY,
    )


def _index(issuer: str) -> Iterator[Json]:
    said = "The machine's name, and a link to each series that has a reading between the dates. `rel` names the series."
    for form in MACHINE_FORMS:
        machine = f"{FLEET_V2}/Equipment/{form.path}"
        content = _fleet_content(
            examples.reported(issuer + _filled(machine)), "The series that have readings"
        )
        yield _operation(
            f"{machine}/{{startDate}}/{{endDate}}",
            f"readReported{form.name}",
            ("Find the series with readings", said),
            _responses("Links to series.", content)
            | refused.refusals(
                refused.JSON_AND_XML, (refused.NO_MACHINE,), (refused.NOT_A_DATE, refused.NOT_A_RANGE)
            ),
            form_of=_usual("readReported", form),
        )


def _aemp_1_2(issuer: str) -> Iterator[Json]:
    said = (
        "For software made for the first version of the standard. The answer is XML, whatever `Accept` asks for, and has no "
        "links. Read on until a page is not found."
    )
    earlier = (
        f"RoviTracker's address of the fleet before there were versions. It answers as `{FLEET_V1}` does."
    )
    yield from _fleet_1_2(issuer, FLEET_V1, "Aemp12", ("Read the fleet as AEMP 1.2", said))
    yield from _fleet_1_2(
        issuer, FLEET_BEFORE_V1, "Earlier", ("Read the fleet at its earlier address", earlier)
    )
    one = examples.one_machine("")
    for form in (VIN, BY_ID, BY_MAKE):
        yield _operation(
            f"{FLEET_V1}/Equipment/{form.path}",
            f"readEquipment{form.name}Aemp12",
            ("Read one machine as AEMP 1.2", f"The same document with one machine in it. {_ANY_FORM}"),
            _responses("The machine.", _v1_content(one, "A fleet of one"))
            | refused.refusals(refused.XML, (refused.NO_MACHINE,)),
            form_of=_usual("readEquipmentAemp12", form),
        )


def _fleet_1_2(issuer: str, fleet: str, name: str, said: tuple[str, str]) -> Iterator[Json]:
    """Pages at one address of the fleet; operations are named after it, and the usual one says everything else."""
    usual = "readFleetAemp12"
    answers = _responses(_FULL, _v1_content(examples.first_page(issuer), _SHORTENED))
    paged = answers | refused.refusals(refused.XML, (refused.NO_PAGE,), (refused.NOT_A_PAGE,))
    yield _operation(
        f"{fleet}/{{page}}",
        f"readFleet{name}",
        said,
        paged,
        form_of="" if f"readFleet{name}" == usual else usual,
    )
    yield _operation(
        fleet,
        f"readFleetFirst{name}",
        ("Read the first page as AEMP 1.2", _UNNUMBERED[1]),
        paged,
        form_of=usual,
        query=_PAGE_IN_QUERY,
    )


def _operation(
    path: str,
    operation_id: str,
    said: tuple[str, str],
    responses: Json,
    *,
    form_of: str = "",
    query: tuple[str, ...] = (),
) -> Json:
    """said: summary and description. form_of: the operation that says everything else about this form of its address.

    query: parameters beside those of the path.
    """
    summary, description = said
    described: Json = {
        "operationId": operation_id,
        "tags": ["aemp"],
        "summary": summary,
        "description": description,
        "security": _SECURED,
        "parameters": [ref("parameters", name) for name in (*_PARAMETER.findall(path), *query)],
        "responses": responses,
    }
    return {path: {"get": described | ({"x-form-of": form_of} if form_of else {})}}


def _usual(name: str, form: MachineForm) -> str:
    return name if form.name else ""


def _filled(path: str) -> str:
    """With the parameters' examples in their places."""
    examples_of = {name: each["example"] for name, each in PARAMETERS.items() if "example" in each}
    given = {name: quote(str(value), safe=":") for name, value in examples_of.items()}
    return path.format_map(given)


def _responses(description: str, content: Json) -> Json:
    return {"200": answer(description, content, headers=_SENT), "304": _NOT_MODIFIED}


def _fleet_content(snapshot: Snapshot, summary: str) -> Json:
    in_xml, in_json = render_fleet_v2_xml(snapshot), render_fleet_v2_json(snapshot)
    return _content("Fleet", orjson.loads(in_json), in_xml, summary, name="fleet")


def _series_content(page: SeriesPage, summary: str) -> Json:
    in_json, in_xml = orjson.loads(render_series_json(page)), render_series_xml(page)
    return _content("Series", in_json, in_xml, summary, name="series")


def _content(schema: str, in_json: Any, in_xml: bytes, summary: str, *, name: str) -> Json:
    """In the namespace of the 2020 edition its schema has another name."""
    usual, later = schema_ref(schema), schema_ref(f"{schema}20190501")
    indented = examples.indented(in_xml.decode())
    return {
        "application/json": {"schema": usual, "examples": {name: example(summary, in_json)}},
        "application/xml": {"schema": usual, "examples": {name: example(summary, indented)}},
        "text/xml": {"schema": usual},
        "application/xml; version=20190501": {"schema": later},
        # With every time in a second, capitalised spelling, for the readers that were built for that.
        "application/iso15143-snapshot+json": {"schema": usual},
    }


def _v1_content(snapshot: Snapshot, summary: str) -> Json:
    in_xml = examples.indented(render_fleet_v1_xml(snapshot).decode())
    schema = schema_ref("FleetAemp12")
    return {
        "application/xml": {"schema": schema, "examples": {"fleet": example(summary, in_xml)}},
        "text/xml": {"schema": schema},
    }
