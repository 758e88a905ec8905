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
    assert listed["roles"] == ["owner"]


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


@pytest.mark.usefixtures("customer")
def test_a_password_that_is_guessed_first_is_refused_wherever_one_is_set(rovitracker: Rovitracker) -> None:
    """The company's name with a year is one of them."""
    for password in ("Passw0rd2026!\n", "Hillside2026\n"):
        assert "too easy to guess" in rovitracker.refuse("customer", "set-password", ANN, stdin=password)
    add = ("add", "--email", "bob@hillside.example", "--name", "Hillside", "--json")
    for noun in ("customer", "operator"):
        assert "too easy to guess" in rovitracker.refuse(noun, *add, stdin="Hillside2026\n")


@pytest.mark.usefixtures("customer")
def test_a_lost_second_factor_is_turned_off_where_there_is_one(rovitracker: Rovitracker) -> None:
    refused = rovitracker.refuse("customer", "reset-second-factor", ANN)
    assert refused == f"rovitracker: {ANN} has no second factor\n"
    assert "`rovitracker customer list`" in rovitracker.refuse(
        "customer", "reset-second-factor", "x@y.example"
    )


def test_an_operator_is_added_once(operator: str, rovitracker: Rovitracker) -> None:
    again = ("operator", "add", "--email", operator.upper(), "--name", "Olga")
    assert "is an operator already" in rovitracker.refuse(*again, stdin=PASSWORD)
    assert "e-mail" in rovitracker.refuse("operator", "add", "--email", "olga", "--name", "O", stdin=PASSWORD)


@pytest.mark.usefixtures("operator")
def test_operators_are_listed_with_role_and_factor(rovitracker: Rovitracker) -> None:
    [listed] = [each for each in rovitracker.ask("operator", "list") if each["email"] == OLGA]
    told = (listed["role"], listed["second_factor"], listed["status"])
    assert told == ("support", False, "enabled")
    assert rovitracker.ask("operator", "role", OLGA, "admin")["role"] == "admin"
    assert "'admin'" in rovitracker.refuse("operator", "role", OLGA, "boss")
    [listed] = [each for each in rovitracker.ask("operator", "list") if each["email"] == OLGA]
    assert listed["role"] == "admin"


@pytest.mark.usefixtures("operator")
def test_an_operator_is_disabled_and_enabled(rovitracker: Rovitracker) -> None:
    assert rovitracker.ask("operator", "disable", OLGA)["status"] == "disabled"
    assert "disabled already" in rovitracker.refuse("operator", "disable", OLGA)
    assert "`rovitracker operator enable`" in rovitracker.refuse("operator", "role", OLGA, "support")
    assert rovitracker.ask("operator", "enable", OLGA)["status"] == "enabled"
    assert "not disabled" in rovitracker.refuse("operator", "enable", OLGA)


@pytest.mark.usefixtures("customer")
def test_somebody_of_an_account_becomes_an_operator_too(rovitracker: Rovitracker) -> None:
    assert "is no operator" in rovitracker.refuse("operator", "disable", ANN)
    assert "is no operator" in rovitracker.refuse(
        "operator", "add", "--email", ANN, "--name", "Ann", stdin=PASSWORD
    )
    rovitracker.ask("operator", "role", ANN, "support")
    assert "is an operator" in rovitracker.refuse("customer", "erase", ANN, "--yes")
    rovitracker.ask("operator", "disable", ANN)
    last = rovitracker.ask("audit", "tail", "--lines", "2")
    assert [event["event"] for event in last] == ["operator.role_set", "operator.disabled"]


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
    dead = rovitracker.ask("token", "inspect", stdin=token.read_text())
    assert (dead["active"], dead["customer"]) == (False, "Hillside")
    assert [reason[:20] for reason in dead["reasons"]] == ["it was revoked at 20"]


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


@pytest.mark.usefixtures("customer", "operator")
def test_the_trail_is_read_newest_last_and_narrowed(rovitracker: Rovitracker) -> None:
    rovitracker.ask("customer", "disable", ANN)
    rovitracker.ask("customer", "enable", ANN)
    last = rovitracker.ask("audit", "tail", "--lines", "2", "--customer", ANN)
    assert [event["event"] for event in last] == ["customer.disabled", "customer.enabled"]
    assert {(event["actor"], event["customer"]) for event in last} == {("command line", "Hillside")}
    assert "nobody signs in with" in rovitracker.refuse("audit", "tail", "--customer", "x@x.example")
