"""`rovitracker request`: what an operator does without a browser."""

import re

import pytest

from tests.cli.conftest import Rovitracker

GINA, RITA = "gina@gravelpit.example", "rita@rovitracker.example"
PASSWORD = "long enough password\n"
WHY = "The site manager wants the hours"


@pytest.fixture(scope="module")
def ownerless(rovitracker: Rovitracker) -> str:
    """The client_id of an application that nobody owns."""
    rovitracker.ask("customer", "add", "--email", GINA, "--name", "Gravel Pit", stdin=PASSWORD)
    named = ("--email", RITA, "--name", "Rita Reviewer", "--role", "reviewer")
    rovitracker.ask("operator", "add", *named, stdin=PASSWORD)
    return str(rovitracker.ask("app", "register", "--name", "Rentdesk", "--company", "Rentdesk")["client_id"])


def test_what_cannot_be_asked_or_decided_is_one_line(ownerless: str, rovitracker: Rovitracker) -> None:
    assert rovitracker.ask("request", "list") == []
    asked = ("request", "ask", "--client-id", ownerless, "--customer", GINA, "--reason", WHY)
    assert "no owner who could pick a token up" in rovitracker.refuse(*asked)
    nobody = "01900000-0000-7000-8000-000000000000"
    assert "no such request" in rovitracker.refuse("request", "show", nobody)
    for verb in ("release", "refuse"):
        judged = ("request", verb, nobody, "--reason", "Known company", "--operator")
        assert "no such request" in rovitracker.refuse(*judged, RITA)
        assert re.search(r"is no operator|nobody", rovitracker.refuse(*judged, GINA))
    assert "REQUEST" in rovitracker.refuse("request", "show", "not an id")
