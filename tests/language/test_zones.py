"""A moment is told in the zone of whoever reads it, and in one place alone."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.language.languages import ENGLISH, LANGUAGES
from app.language.templates import Templates
from app.language.zones import ZONE_NAMES, read_common_zones, zone_named
from tests.language.catalogue import ROOT

MOMENT = datetime(2026, 11, 30, 23, 5, tzinfo=UTC)
_FORMATTING = {
    "strftime",
    "isoformat",
    "ctime",
    "astimezone",
    "format_time",
    "format_datetime",
    "format_date",
}


def formats_times(source: str) -> list[str]:
    """What of a source makes text of a moment."""
    return list(_formatting(ast.parse(source)))


def _formatting(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in _FORMATTING:
                yield name
        if isinstance(node, ast.FormattedValue) and node.format_spec and "%" in ast.unparse(node.format_spec):
            yield ast.unparse(node)


def test_no_page_and_no_mail_formats_times_by_itself() -> None:
    files = [
        *ROOT.glob("app/web/pages/*.py"),
        *ROOT.glob("app/web/developer/*.py"),
        *ROOT.glob("app/flows/mail/*.py"),
        ROOT / "app/mail/letters.py",
    ]
    assert {file.name: found for file in files if (found := formats_times(file.read_text()))} == {}
    templates = [*ROOT.glob("app/web/pages/templates/**/*.html"), *ROOT.glob("app/mail/templates/*")]
    assert [file.name for file in templates if "<time" in file.read_text()] == []


@pytest.mark.parametrize(
    "planted", ["at.isoformat()", "f'{at:%H:%M}'", "'{:%H}'.format(at.astimezone(z))", "format_time(at)"]
)
def test_planted_formatting_of_a_time_is_found(planted: str) -> None:
    assert formats_times(planted)


@pytest.mark.parametrize("shown", ["{{ at }}", "{% trans at=at %}At {{ at }}.{% endtrans %}"])
def test_moment_that_no_filter_puts_into_a_zone_is_not_shown(tmp_path: Path, shown: str) -> None:
    """So no template can forget to."""
    (tmp_path / "page.html").write_text(shown)
    templates = Templates(tmp_path)
    for language in LANGUAGES.values():
        with pytest.raises(TypeError, match="filters"):
            templates.fill("page.html", language, UTC, at=MOMENT)


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("UTC", "30 November 2026, 23:05 UTC"),
        ("Europe/Madrid", "1 December 2026, 00:05 CET"),
        ("America/Sao_Paulo", "30 November 2026, 20:05 UTC-03:00"),
        ("Asia/Kathmandu", "1 December 2026, 04:50 UTC+05:45"),
        ("Pacific/Kiritimati", "1 December 2026, 13:05 UTC+14:00"),
    ],
)
def test_moment_is_told_in_its_zone_and_day_and_is_utc_for_programs(
    tmp_path: Path, zone: str, told: str
) -> None:
    (tmp_path / "page.html").write_text("{{ at | moment }}")
    (tmp_path / "page.txt").write_text("{{ at | moment }} {{ at | day }}")
    templates, rules = Templates(tmp_path), zone_named(zone)
    page = templates.fill("page.html", ENGLISH, rules, at=MOMENT)
    assert page == f'<time datetime="2026-11-30T23:05:00Z">{told}</time>'
    text = templates.fill("page.txt", ENGLISH, rules, at=MOMENT)
    assert text == f"{told} {told.partition(',')[0]}"


def test_summer_time_is_that_of_the_moment() -> None:
    madrid = zone_named("Europe/Madrid")
    assert ENGLISH.moment(datetime(2026, 7, 1, 12, tzinfo=UTC), madrid) == "1 July 2026, 14:00 CEST"
    assert LANGUAGES["es"].moment(MOMENT, madrid) == "1 de diciembre de 2026, 00:05 CET"


def test_every_zone_of_the_list_has_rules_and_a_name() -> None:
    offered = {name for names in read_common_zones().values() for name in names}
    assert offered < ZONE_NAMES
    assert {"Europe/Madrid", "America/Argentina/Buenos_Aires", "Asia/Kolkata"} < offered
    for name in ZONE_NAMES:
        assert str(zone_named(name)) == name
        assert ENGLISH.moment(MOMENT, zone_named(name)).rpartition(" ")[2]


@pytest.mark.parametrize(
    "name", ["", "Nowhere/City", "../../etc/passwd", "/etc/passwd", "Europe", "a\0b", "é"]
)
def test_zone_without_rules_is_told_in_utc(name: str) -> None:
    """Such a row came from another release or another hand, and its pages are still written."""
    assert zone_named(name) is UTC
