"""The README says what is true: its settings, its addresses, its links."""

import re

from starlette.routing import Route

from app.settings import PREFIX, Settings
from app.web.routes import router
from tests.cli.verbs import VERBS
from tests.support.server import ROOT
from tests.web.described import OPERATIONS

README = (ROOT / "README.md").read_text()
BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->"


def settings_table() -> str:
    """The table as Settings has it; put between the marks by `python -m tests.docs.test_readme`."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `{PREFIX}{name.upper()}` | {default_text(field.default)} | {field.description} |")
    return "\n".join(rows) + "\n"


def default_text(value: object) -> str:
    if value in (None, ()):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    seconds = getattr(value, "total_seconds", None)
    if seconds is None:
        return f"`{value}`"
    if not seconds():
        return "`0s`"
    for letter, length in (("y", 365 * 86_400), ("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds() % length == 0:
            return f"`{int(seconds() // length)}{letter}`"
    return f"`{int(seconds())}s`" if seconds() >= 1 else f"`{int(seconds() * 1000)}ms`"


def test_settings_table_is_what_settings_are() -> None:
    assert README.split(BEGIN)[1].split(END)[0] == settings_table()


def test_every_documented_address_is_routed_with_its_method() -> None:
    routed = {
        (method, re.sub(r":\w+\}", "}", route.path))
        for route in router.routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    documented = set(re.findall(r"`(GET|POST) (/\S*)`", README))
    assert documented
    described = {
        (each.method.upper(), each.path) for each in OPERATIONS.values()
    }  # one route takes all of the fleet
    assert documented <= routed | described


def test_every_verb_is_in_the_table() -> None:
    rows = re.findall(r"^\| `rovitracker ?(\w*)` \| (.*?) \|", README, re.MULTILINE)
    documented = {(group, verb) for group, names in rows for verb in re.findall(r"`([a-z-]+)`", names)}
    assert documented == {("", *verb)[-2:] for verb in VERBS}


def test_relative_links_lead_somewhere() -> None:
    pages = ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "examples/README.md")
    for page in (page for pattern in pages for page in ROOT.glob(pattern)):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


if __name__ == "__main__":
    before, rest = README.split(BEGIN)
    (ROOT / "README.md").write_text(before + BEGIN + settings_table() + END + rest.split(END)[1])
