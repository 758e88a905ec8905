"""`rovitracker customer`, `operator` and `token issue`: people from the terminal, their passwords from stdin."""

from pathlib import Path

import pytest

from tests.cli.conftest import Rovitracker

ANN, OLGA = "ann@hillside.example", "olga@rovitracker.example"
PASSWORD = "long enough password\n"


@pytest.fixture(scope="module")
def customer(rovitracker: Rovitracker) -> str:
    added = rovitracker.ask("customer", "add", "--email", ANN, "--name", "Hillside", stdin=PASSWORD)
    return str(added["customer_id"])


@pytest.fixture(scope="module")
def operator(rovitracker: Rovitracker) -> str:
    added = rovitracker.ask("operator", "add", "--email", OLGA, "--name", "Olga Reyes", stdin=PASSWORD)
    return str(added["email"])


def test_customers_are_listed_with_who_signs_in(customer: str, rovitracker: Rovitracker) -> None:
    [listed] = [each for each in rovitracker.ask("customer", "list") if each["customer_id"] == customer]
    assert (listed["name"], listed["emails"], listed["status"]) == ("Hillside", [ANN], "enabled")


def test_an_account_is_disabled_and_enabled(customer: str, rovitracker: Rovitracker) -> None:
    assert rovitracker.ask("customer", "disable", ANN) == {
        "customer_id": customer,
        "email": ANN,
        "name": "Hillside",
        "status": "disabled",
    }
    assert "disabled already" in rovitracker.refuse("customer", "disable", ANN)
    assert rovitracker.ask("customer", "enable", ANN)["status"] == "enabled"
    assert "`rovitracker customer list`" in rovitracker.refuse("customer", "disable", "bob@x.example")


@pytest.mark.usefixtures("customer")
def test_a_new_password_cuts_the_applications_unless_told_otherwise(rovitracker: Rovitracker) -> None:
    """And is never an argument, which every user of the machine could read."""
    given = rovitracker.ask("customer", "set-password", ANN, stdin=PASSWORD)
    assert given["applications_cut"] is True
    kept = rovitracker.ask("customer", "set-password", ANN, "--keep-applications", stdin=PASSWORD)
    assert kept["applications_cut"] is False
    assert "10 to" in rovitracker.refuse("customer", "set-password", ANN, stdin="short\n")
    assert "stdin" in rovitracker.refuse("customer", "set-password", ANN)
    assert "--password" in rovitracker.refuse("customer", "set-password", ANN, "--password", "x")


def test_an_operator_is_added_once(operator: str, rovitracker: Rovitracker) -> None:
    again = ("operator", "add", "--email", operator.upper(), "--name", "Olga")
    assert "is an operator already" in rovitracker.refuse(*again, stdin=PASSWORD)
    assert "e-mail" in rovitracker.refuse("operator", "add", "--email", "olga", "--name", "O", stdin=PASSWORD)


@pytest.mark.usefixtures("customer")
def test_a_token_issued_by_hand_is_good_until_it_is_revoked(
    operator: str, rovitracker: Rovitracker, tmp_path: Path
) -> None:
    registered = rovitracker.ask("app", "register", "--name", "Sitewise", "--company", "Sitewise Ltd")
    parties = ("--client-id", registered["client_id"], "--customer", ANN, "--operator", operator)
    issue = ("token", "issue", *parties, "--reason", "by phone, case 4711", "--expires-in", "30d")
    issued = rovitracker.ask(*issue)
    token = tmp_path / "token.txt"
    token.write_text(issued["access_token"] + "\n")
    inspected = rovitracker.ask("token", "inspect", stdin=token.read_text())
    assert inspected["active"] is True
    assert inspected["client_id"] == registered["client_id"]
    assert inspected["expires_at"][:19] == issued["expires_at"][:19]  # whole seconds, as the wire has them
    assert rovitracker.ask("token", "revoke", stdin=token.read_text()) == {"revoked": True}
    assert rovitracker.ask("token", "inspect", stdin=token.read_text()) == {"active": False}


def test_a_token_is_issued_by_an_operator_only(
    customer: str, operator: str, rovitracker: Rovitracker
) -> None:
    nothing = ("--client-id", customer, "--customer", ANN, "--reason", "x")
    nobody = (*nothing, "--operator", ANN)
    said = rovitracker.refuse("token", "issue", *nobody)
    assert said == f"rovitracker: {ANN} is no operator: `rovitracker operator add --help`\n"
    said = rovitracker.refuse("token", "issue", *nothing, "--operator", operator)
    assert "no application has the client_id" in said
    assert "--reason" in rovitracker.refuse("token", "issue", *nobody[:4], *nobody[6:])
    assert "60s or 30d" in rovitracker.refuse("token", "issue", *nobody, "--expires-in", "3weeks")
