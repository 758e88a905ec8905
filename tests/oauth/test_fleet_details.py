"""Claims about authorization details of type fleet (RFC 9396)."""

import json
import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator

from app.oauth.errors import OAuthError
from app.oauth.fleet_details import FleetDetails, check_asked, parse_details, write_granted
from app.web.reference.details import GRANTED, PARAMETER

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SCHEMA = OAS31Validator(PARAMETER["contentSchema"])

DAYS = st.dates(date(1970, 1, 1), date(2999, 12, 31))
INSTANTS = st.builds(datetime.combine, DAYS, st.times(timezones=st.just(UTC)))
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
DETAILS = st.builds(
    FleetDetails,
    st.none() | st.lists(NAMES, min_size=1, max_size=8, unique=True).map(tuple),
    st.none() | INSTANTS | DAYS,
    st.none() | INSTANTS,
)
# Values that any member may have, ours among them.
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["fleet", "2026-02-30", "2026-02-28", "2027-01-01T00:00:00Z", "2027-01-01T24:00:00Z"])
    | st.lists(st.text(max_size=6) | st.integers(), max_size=4)
)
OBJECTS = st.dictionaries(
    st.sampled_from(["type", "identifiers", "history_from", "ends_at", "actions"]) | st.text(max_size=6),
    VALUES,
    max_size=5,
)


def refusal(text: str) -> str:
    with pytest.raises(OAuthError) as caught:
        parse_details(text)
    assert (caught.value.code, caught.value.status) == ("invalid_authorization_details", 400)
    told = caught.value.what
    assert told.startswith("authorization_details: ")
    return told.removeprefix("authorization_details: ")


def refusal_of(**members: Any) -> str:
    return refusal(json.dumps([{"type": "fleet", **members}]))


@given(DETAILS)
def test_details_read_back_as_themselves(details: FleetDetails) -> None:
    """O-157: so a form carries them as they were asked."""
    assert parse_details(details.text) == details
    assert SCHEMA.is_valid(json.loads(details.text))


@given(st.text() | st.recursive(VALUES, st.lists, max_leaves=6).map(json.dumps))
def test_any_text_is_details_or_refused(text: str) -> None:
    """O-157: nothing else is ever raised."""
    outcome: object
    try:
        outcome = parse_details(parse_details(text).text).text
    except OAuthError as error:
        outcome = error.code
    assert outcome == "invalid_authorization_details" or '"type":"fleet"' in str(outcome)


@given(
    st.lists(OBJECTS, max_size=2) | st.tuples(OBJECTS.map(lambda some: {**some, "type": "fleet"})).map(list)
)
def test_what_is_read_keeps_to_the_published_schema(objects: list[dict[str, Any]]) -> None:
    """O-157: whoever checks against the schema first is never refused for what we would take."""
    with suppress(OAuthError):
        parse_details(json.dumps(objects))
        assert SCHEMA.is_valid(objects)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is not JSON"),
        ("fleet", "it is not JSON"),
        ("[NaN]", "it is not JSON"),
        ("\ufeff[]", "it is not JSON"),
        (f"[{'9' * 5000}]", "it is not JSON"),
        ('{"type":"fleet"}', "it is not an array of one object"),
        ("[]", "it is not an array of one object"),
        ('["fleet"]', "it is not an array of one object"),
        ('[{"type":"fleet"},{"type":"fleet"}]', "it is not an array of one object"),
        ("[{}]", "type is missing"),
        ('[{"type":"payment"}]', "the only type is fleet"),
        ('[{"type":["fleet"]}]', "the only type is fleet"),
        ('[{"type":"payment","type":"fleet"}]', "a member stands twice in one object"),
        ('[{"type":"fleet","\\u0074ype":"fleet"}]', "a member stands twice in one object"),
    ],
)
def test_what_is_no_array_of_one_fleet_is_refused(text: str, told: str) -> None:
    """O-157: what two parsers could read differently is not read at all."""
    assert refusal(text) == told


def test_what_is_nested_deeply_is_refused() -> None:
    """Python reads no more than a thousand levels up to 3.11, and newer ones more than fit."""
    assert refusal("[" * 4000 + "]" * 4000) in ("it is not JSON", "it is not an array of one object")


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"actions": ["read"]}, "actions is not known in an object of type fleet"),
        ({"locations": ["http://localhost:8000/api"]}, "locations is not known in an object of type fleet"),
        ({"call 0900 now": 1}, "a member is not known in an object of type fleet"),
        ({"\ud800": 1}, "a member is not known in an object of type fleet"),
        ({"identifiers": []}, "identifiers is not an array of 1 to 300 identifiers"),
        ({"identifiers": None}, "identifiers is not an array of 1 to 300 identifiers"),
        ({"identifiers": "PIN1"}, "identifiers is not an array of 1 to 300 identifiers"),
        ({"identifiers": ["x"] * 301}, "identifiers is not an array of 1 to 300 identifiers"),
        *(
            ({"identifiers": [wrong]}, "an identifier is not a string of 1 to 255 printable characters")
            for wrong in ("", " ", 7, None, "x" * 256, "a\0", "a\nb", "\ud800", "a\u202eb", ["PIN1"])
        ),
        *(
            ({"history_from": wrong}, "history_from is neither a day nor an instant of RFC 3339")
            for wrong in ("", "soon", 0, None, "2026-05-01T10:00:00", "2026-05-01 10:00:00Z", "20260501")
        ),
        ({"history_from": "2026-02-30"}, "history_from is a day that the calendar does not have"),
        *(
            ({"ends_at": wrong}, "ends_at is not an instant of RFC 3339")
            for wrong in (
                *("2027-01-01", "2027-02-30T00:00:00Z", "2027-01-01T24:00:00Z", "2027-01-01T00:00:60Z"),
                *("9999-12-31T23:59:59Z", "2027-01-01T00:00:00+2:00", "2027-01-01T00:00:00+25:00", True),
            )
        ),
    ],
    ids=str,
)
def test_member_of_another_form_is_refused_by_name(members: dict[str, Any], told: str) -> None:
    """O-157: and no stranger's words are told on."""
    assert refusal_of(**members) == told


def test_documents_show_details_as_they_are() -> None:
    """O-157: what integrators copy is taken, and what they are told looks like an answer."""
    text = (Path(__file__).parents[2] / "docs" / "integrators.md").read_text()
    [asked] = re.findall(r"^\[\{.*\}\]$", text, re.MULTILINE)
    assert parse_details(asked).identifiers == ("9NRA2B3C4M0030117", "EX-07")
    [told] = re.findall(r'^\{"authorization_details": (.*)\}$', text, re.MULTILINE)
    OAS31Validator(GRANTED).validate(json.loads(told))


def test_length_is_bounded_before_anything_is_read() -> None:
    """R-76, O-157."""
    longest = '[{"type":"fleet"}]'
    assert parse_details(longest.ljust(8192)) == FleetDetails()
    assert refusal(longest.ljust(8193)) == "it is longer than 8192 bytes"
    assert refusal("ü" * 4097) == "it is longer than 8192 bytes"
    assert parse_details(FleetDetails(tuple(str(each) for each in range(300))).text).identifiers


@pytest.mark.parametrize(
    "text", ["2027-05-31T18:00:00+02:00", "2027-05-31t16:00:00z", "2027-05-31T16:00:00.000Z"]
)
def test_instants_of_any_offset_are_one(text: str) -> None:
    """O-157: and a machine that is named twice is named once."""
    asked = json.dumps([{"type": "fleet", "ends_at": text, "identifiers": ["A", "B", "A"]}])
    assert parse_details(asked) == FleetDetails(("A", "B"), None, datetime(2027, 5, 31, 16, tzinfo=UTC))


def test_details_narrow_a_scope_and_end_later() -> None:
    """O-157: with a scope that reads no machine, or an end that is past, nothing could be granted."""
    check_asked(FleetDetails(ends_at=NOW + timedelta(seconds=1)), ("account:read", "aemp:read"), now=NOW)
    for details, scope in ((FleetDetails(), ("account:read",)), (FleetDetails(ends_at=NOW), ("aemp:read",))):
        with pytest.raises(OAuthError) as caught:
            check_asked(details, scope, now=NOW)
        assert caught.value.code == "invalid_authorization_details"


MIDSUMMER = datetime(2027, 6, 21, 2, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("names", "count", "members"),
    [
        (None, 0, {}),
        (("PIN1", "PIN2"), 2, {"identifiers": ["PIN1", "PIN2"]}),
        ((), 0, {"identifiers": []}),
        (("PIN1", None), 2, {"machine_count": 2}),
        (("x",) * 100, 100, {"identifiers": ["x"] * 100}),
        ((), 101, {"machine_count": 101}),
    ],
)
def test_granted_names_all_machines_or_says_how_many(
    names: tuple[str | None, ...] | None, count: int, members: dict[str, object]
) -> None:
    """O-158: a list that is there is the whole of it."""
    granted = json.loads(write_granted(names, count=count, history_from=MIDSUMMER, ends_at=None))
    assert granted == [{"type": "fleet", **members, "history_from": "2027-06-21T00:00:00Z"}]
    assert OAS31Validator(GRANTED).is_valid(granted)
