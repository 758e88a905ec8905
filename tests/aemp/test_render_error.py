"""One error document in the representation that was asked for."""

import json

import pytest
from lxml import etree

from app.aemp.address.negotiation import Representation
from app.aemp.write.render_error import render_error

MESSAGE = "No <machine> & no \x00 page"


@pytest.mark.parametrize(
    ("representation", "expected_type"),
    [
        (Representation.XML, "application/xml; charset=utf-8"),
        (Representation.XML_20190501, "application/xml; charset=utf-8"),
        (Representation.TEXT_XML, "text/xml; charset=utf-8"),
    ],
)
def test_xml_error_holds_status_code_message_and_reference(
    representation: Representation, expected_type: str
) -> None:
    content_type, body = render_error(
        representation, 404, "equipment_not_found", MESSAGE, reference="ref-4711"
    )
    root = etree.fromstring(body)
    assert content_type == expected_type
    assert root.tag == "Error"
    assert [(child.tag, child.text) for child in root] == [
        ("Status", "404"),
        ("Code", "equipment_not_found"),
        ("Message", "No <machine> & no \ufffd page"),
        ("Reference", "ref-4711"),
    ]


@pytest.mark.parametrize("representation", [Representation.JSON, Representation.SNAPSHOT_JSON])
def test_json_error_holds_status_code_message_and_reference(representation: Representation) -> None:
    content_type, body = render_error(representation, 429, "too_many_requests", MESSAGE, reference="ref-4711")
    assert content_type == "application/json"
    assert json.loads(body) == {
        "status": 429,
        "code": "too_many_requests",
        "message": "No <machine> & no \ufffd page",
        "reference": "ref-4711",
    }
