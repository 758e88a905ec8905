"""`rovitracker customer members`, `invite`, `set-role`, `remove-member`, `rename`: an account's people from the terminal."""

import pytest

from tests.cli.conftest import Rovitracker

CARL, DORA, BO = "carl@quarry.example", "dora@quarry.example", "bo@quarry.example"
PASSWORD = "long enough password\n"


@pytest.fixture(scope="module")
def account(rovitracker: Rovitracker) -> str:
    added = rovitracker.ask("customer", "add", "--email", CARL, "--name", "Quarry", stdin=PASSWORD)
    return str(added["customer_id"])


def test_members_and_invited_people_are_listed(account: str, rovitracker: Rovitracker) -> None:
    invited = rovitracker.ask(
        "customer", "invite", "--customer", CARL, "--email", BO.upper(), "--role", "connector"
    )
    assert (invited["email"], invited["role"]) == (BO, "connector")
    for named in (CARL, account):
        carl, bo = rovitracker.ask("customer", "members", named)
        assert (carl["email"], carl["role"], carl["status"], carl["second_factor"]) == (
            CARL,
            "owner",
            "member",
            False,
        )
        assert (bo["email"], bo["role"], bo["status"]) == (BO, "connector", "invited")
        assert bo["mail"] in ("waiting", "sent")
    assert "invited already" in rovitracker.refuse("customer", "invite", "--customer", CARL, "--email", BO)
    assert "e-mail address" in rovitracker.refuse("customer", "invite", "--customer", CARL, "--email", "bo")
    assert "`rovitracker customer list`" in rovitracker.refuse("customer", "members", "x@y.example")
    assert "there is no customer" in rovitracker.refuse("customer", "members", account[:-4] + "0000")


@pytest.mark.usefixtures("account")
def test_the_last_owner_is_neither_demoted_nor_removed(rovitracker: Rovitracker) -> None:
    hint = "`rovitracker customer set-role` makes somebody else owner"
    for verb in (("set-role", CARL, "--role", "viewer"), ("remove-member", CARL)):
        refused = rovitracker.refuse("customer", *verb)
        assert "keeps at least one owner" in refused
        assert hint in refused
    same = rovitracker.ask("customer", "set-role", CARL, "--role", "owner")
    assert (same["role_before"], same["role"]) == ("owner", "owner")
    assert "owner" in rovitracker.refuse("customer", "set-role", CARL, "--role", "king")
    assert "nobody signs in with" in rovitracker.refuse("customer", "remove-member", DORA)


def test_an_account_is_renamed(account: str, rovitracker: Rovitracker) -> None:
    renamed = rovitracker.ask("customer", "rename", CARL, "--name", "Quarry & Sons")
    assert renamed == {"customer_id": account, "name": "Quarry & Sons", "name_before": "Quarry"}
    assert "1 to 120" in rovitracker.refuse("customer", "rename", account, "--name", " ")
    last = rovitracker.ask("audit", "tail", "--lines", "1", "--customer", CARL)[0]
    assert (last["event"], last["actor"]) == ("customer.renamed", "command line")
    assert last["detail"] == {}, "the trail is never erased, and an account may bear a name of a person"
