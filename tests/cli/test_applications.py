"""`rovitracker app`: an application's life from the terminal, and what each verb refuses."""

import asyncio

import asyncpg
import pytest

from tests.cli.conftest import Rovitracker

NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def client_id(rovitracker: Rovitracker) -> str:
    registered = rovitracker.ask(
        *("app", "register", "--name", "Sitewise", "--company", "Sitewise Ltd"),
        *("--redirect-uri", "https://sitewise.example/back"),
    )
    return str(registered["client_id"])


def test_update_changes_what_is_named_and_nothing_else(client_id: str, rovitracker: Rovitracker) -> None:
    before = rovitracker.ask("app", "show", client_id)
    rovitracker.ask(
        *("app", "update", client_id, "--name", "Sitewise 2"),
        *("--redirect-uri", "https://sitewise.example/a", "--redirect-uri", "https://sitewise.example/b"),
    )
    changed = {
        "name": "Sitewise 2",
        "redirect_uris": ["https://sitewise.example/a", "https://sitewise.example/b"],
    }
    assert rovitracker.ask("app", "show", client_id) == before | changed
    assert "name what shall change" in rovitracker.refuse("app", "update", client_id)
    refused = rovitracker.refuse("app", "update", client_id, "--redirect-uri", "http://sitewise.example/")
    assert "http://sitewise.example/" in refused


def test_two_secrets_overlap_and_a_third_waits(client_id: str, rovitracker: Rovitracker) -> None:
    rotated = rovitracker.ask("app", "rotate-secret", client_id, "--overlap", "1h")
    assert rotated["client_secret"].startswith("rovi_cs_")
    shown = rovitracker.ask("app", "show", client_id)["secrets"]
    assert sorted(each[:10] for each in shown) == ["good", "good until"]
    assert "retire it first" in rovitracker.refuse("app", "rotate-secret", client_id)
    assert rovitracker.ask("app", "retire-secret", client_id)["retired"] is True
    assert rovitracker.ask("app", "show", client_id)["secrets"] == ["good"]
    assert "no second secret" in rovitracker.refuse("app", "retire-secret", client_id)
    assert "60s or 30d" in rovitracker.refuse("app", "rotate-secret", client_id, "--overlap", "soon")


def test_a_status_is_changed_once_and_named_when_it_does_not_fit(
    client_id: str, rovitracker: Rovitracker
) -> None:
    assert "Nothing waits for review" in rovitracker.refuse("app", "approve", client_id)
    assert rovitracker.ask("app", "suspend", client_id)["status"] == "suspended"
    assert "the application is suspended, so `suspend`" in rovitracker.refuse("app", "suspend", client_id)
    assert rovitracker.ask("app", "resume", client_id)["status"] == "active"


async def wait_for_review(rovitracker: Rovitracker, client_id: str, name: str) -> None:
    """As if its owner had handed it in."""
    owner = await asyncpg.connect(rovitracker.embedded.database_url)
    person = await owner.fetchval(
        "INSERT INTO person (id, email, name, password_hash, email_confirmed_at) "
        "VALUES (gen_random_uuid(), gen_random_uuid() || '@x.example', 'Olga', 'x', now()) RETURNING id"
    )
    await owner.execute("UPDATE application SET live_at = NULL WHERE id = $1::uuid", client_id)
    await owner.execute("INSERT INTO application_owner VALUES ($1::uuid, $2)", client_id, person)
    await owner.execute(
        "INSERT INTO application_review (id, application_id, asked_by, goes_live, name, company, logo_digest, "
        "redirect_uris, scope, privacy_uri, message) VALUES (gen_random_uuid(), $1::uuid, $2, true, $3, 'Sitewise Ltd', "
        "decode(repeat('00', 32), 'hex'), '{https://sitewise.example/back}', 'aemp:read', 'https://sitewise.example/p', '')",
        client_id,
        person,
        name,
    )
    await owner.close()


def test_what_waits_is_listed_with_marks_and_decided(rovitracker: Rovitracker) -> None:
    registered = rovitracker.ask("app", "register", "--name", "Fuelwatch", "--company", "Fuelwatch GmbH")
    client_id = str(registered["client_id"])
    assert rovitracker.ask("app", "list", "--pending") == []
    asyncio.run(wait_for_review(rovitracker, client_id, "Rovi Tracker"))
    [waiting] = rovitracker.ask("app", "list", "--pending")
    assert (waiting["client_id"], waiting["changes"]) == (client_id, "goes live")
    assert "Rovi Tracker looks like RoviTracker." in waiting["marks"]
    assert "--reason" in rovitracker.refuse("app", "refuse", client_id)
    assert "Somebody changed it" in rovitracker.refuse("app", "approve", client_id, "--seen", "0" * 32)
    refused = rovitracker.ask(
        "app", "refuse", client_id, "--reason", "That is our name.", "--seen", waiting["seen"]
    )
    assert refused["refused"] is True
    assert rovitracker.ask("app", "show", client_id)["live_at"] is None
    asyncio.run(wait_for_review(rovitracker, client_id, "Fuelwatch"))
    assert rovitracker.ask("app", "approve", client_id)["redirect_uris"] == ["https://sitewise.example/back"]
    assert rovitracker.ask("app", "show", client_id)["live_at"]
    assert rovitracker.ask("app", "list", "--pending") == []


def test_deleting_asks_and_is_for_ever(client_id: str, rovitracker: Rovitracker) -> None:
    """A script says --yes; nobody is asked where nobody can answer."""
    said = rovitracker.refuse("app", "delete", client_id)
    assert "for ever?" in said
    assert "--yes" in said
    assert rovitracker.ask("app", "show", client_id)["status"] == "active"
    assert rovitracker.ask("app", "delete", client_id, "--yes")["status"] == "deleted"
    assert rovitracker.ask("app", "show", client_id)["status"] == "deleted"
    assert client_id not in rovitracker.run("app", "list").stdout
    assert "deleted" in rovitracker.refuse("app", "resume", client_id)
    assert "deleted" in rovitracker.refuse("app", "rotate-secret", client_id)
    assert "deleted" in rovitracker.refuse("app", "update", client_id, "--name", "Again")


def test_an_unknown_application_is_named(rovitracker: Rovitracker) -> None:
    said = rovitracker.refuse("app", "suspend", NOBODY)
    assert NOBODY in said
    assert "`rovitracker app list`" in said


def test_kinds_and_grants_are_registered_as_asked(rovitracker: Rovitracker) -> None:
    public = rovitracker.ask(
        *("app", "register", "--name", "Phone", "--company", "X", "--public"),
        *("--redirect-uri", "com.example.phone:/back"),
    )
    assert public["client_secret"] is None
    assert (public["kind"], public["grants"]) == ("strict", ["authorization_code", "refresh_token"])
    owned = ("app", "register", "--name", "Robot", "--company", "X", "--grant", "client_credentials")
    assert rovitracker.ask(*owned)["grants"] == ["client_credentials"]
    assert "nobody signs in with" in rovitracker.refuse(*owned, "--customer", "nobody@nowhere.example")
    assert "did you mean client_credentials?" in rovitracker.refuse(*owned[:-1], "client_credential")
    assert "belong together" in rovitracker.refuse(*owned, "--resource-server")
