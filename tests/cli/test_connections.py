"""`rovitracker connection`: what a support case needs to see and to end."""

import pytest

from tests.cli.conftest import Rovitracker

EVA = "eva@gravel.example"
PASSWORD = "long enough password\n"


@pytest.fixture(scope="module")
def robot(rovitracker: Rovitracker) -> str:
    """The client_id of an application that acts for a customer by itself."""
    rovitracker.ask("customer", "add", "--email", EVA, "--name", "Gravel", stdin=PASSWORD)
    named = ("--name", "Robot", "--company", "Sitewise", "--grant", "client_credentials", "--customer", EVA)
    return str(rovitracker.ask("app", "register", *named)["client_id"])


def test_a_connection_is_listed_ended_and_listed_as_cut(robot: str, rovitracker: Rovitracker) -> None:
    [listed] = rovitracker.ask("connection", "list", "--customer", EVA)
    assert (listed["client_id"], listed["customer"], listed["state"]) == (robot, "Gravel", "connected")
    assert (listed["route"], listed["cut_at"], listed["ends_at"]) == ("client_credentials", None, None)
    assert (listed["last_read_at"], listed["reads_30_days"]) == (None, 0)
    account = rovitracker.ask("customer", "show", EVA)
    assert (account["name"], account["machines"], account["applications"]) == ("Gravel", 0, ["Robot"])
    ended = rovitracker.ask("connection", "end", "--customer", EVA, "--client-id", robot)
    assert (ended["state"], ended["customer"], ended["application"]) == ("cut", "Gravel", "Robot")
    [listed] = rovitracker.ask("connection", "list", "--client-id", robot)
    assert listed["state"] == "cut"
    assert listed["cut_at"] > listed["approved_at"]
    assert rovitracker.ask("customer", "show", listed["customer_id"])["applications"] == []
    last = rovitracker.ask("audit", "tail", "--lines", "1", "--customer", EVA)[0]
    assert (last["event"], last["actor"]) == ("application.disconnected", "command line")


def test_unknown_parties_are_named(robot: str, rovitracker: Rovitracker) -> None:
    nobody = "01900000-0000-7000-8000-000000000000"
    assert "there is no customer" in rovitracker.refuse("connection", "list", "--customer", nobody)
    assert "there is no customer" in rovitracker.refuse("customer", "show", nobody)
    assert nobody in rovitracker.refuse("connection", "list", "--client-id", nobody)
    assert "nobody signs in with" in rovitracker.refuse(
        "connection", "end", "--customer", "x@y.example", "--client-id", robot
    )
