"""`rovitracker key`, and applications registered with keys of their own: from the terminal."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from tests.cli.conftest import Rovitracker
from tests.support.assertions import jwks_of, key_pair

KEYED = ("app", "register", "--name", "Robot", "--company", "X", "--grant", "client_credentials", "--strict")


@pytest.fixture
def jwks(tmp_path: Path) -> str:
    file = tmp_path / "jwks.json"
    file.write_bytes(jwks_of(key_pair("EC"), kid="k-1"))
    return str(file)


def test_rotation_says_when_the_new_key_begins(rovitracker: Rovitracker) -> None:
    first, second = rovitracker.ask("key", "rotate"), rovitracker.ask("key", "rotate")
    begins_at = {each["kid"]: each["begins_to_sign_at"] for each in rovitracker.ask("key", "list")}
    assert begins_at == {each["kid"]: each["begins_to_sign_at"] for each in (first, second)}
    waits = datetime.fromisoformat(second["begins_to_sign_at"]) - datetime.now(UTC)
    assert timedelta(minutes=9) < waits < timedelta(minutes=10)
    assert stages(rovitracker) == {first["kid"]: "signs", second["kid"]: "waits"}
    said = rovitracker.refuse("key", "rotate")
    assert f"{second['kid']} begins to sign at" in said
    assert len(said.splitlines()) == 1
    known = rovitracker.ask("key", "rotate", "--at-once")
    assert stages(rovitracker) == {known["kid"]: "signs", first["kid"]: "gone", second["kid"]: "gone"}
    rovitracker.ask("maintain")
    assert stages(rovitracker) == {known["kid"]: "signs"}


def stages(rovitracker: Rovitracker) -> dict[str, str]:
    return {each["kid"]: each["stage"] for each in rovitracker.ask("key", "list")}


def test_listed_keys_show_no_private_half(rovitracker: Rovitracker) -> None:
    for each in rovitracker.ask("key", "list"):
        assert set(each) == {"kid", "stage", "created_at", "begins_to_sign_at", "leaves_at"}
    unopened = rovitracker.run("key", "list", "--json", ROVITRACKER_SECRET_KEYS="fedcba9876543210" * 4)
    assert all(each["stage"].endswith(", cannot be opened") for each in orjson.loads(unopened.stdout))


def test_application_with_keys_gets_no_secret(rovitracker: Rovitracker, jwks: str) -> None:
    """O-150."""
    registered = rovitracker.ask(*KEYED, "--jwks", jwks)
    assert registered["client_secret"] is None
    assert registered["authentication"] == "private_key_jwt"
    shown = rovitracker.ask("app", "show", registered["client_id"])
    assert (shown["keys"], shown["secrets"]) == (["k-1"], [])
    assert "proves itself by its keys" in rovitracker.refuse("app", "rotate-secret", registered["client_id"])


def test_keys_are_replaced_and_take_the_place_of_a_secret(rovitracker: Rovitracker, jwks: str) -> None:
    registered = rovitracker.ask(*KEYED)
    assert registered["authentication"] == "client_secret"
    client_id = registered["client_id"]
    assert rovitracker.ask("app", "update", client_id, "--jwks", jwks)["authentication"] == "private_key_jwt"
    shown = rovitracker.ask("app", "show", client_id)
    assert (shown["keys"], shown["secrets"]) == (["k-1"], [])
    other = key_pair("OKP")
    Path(jwks).write_bytes(jwks_of(other))
    rovitracker.ask("app", "update", client_id, "--jwks", jwks)
    assert rovitracker.ask("app", "show", client_id)["keys"] == [other.thumbprint()]


def test_unfit_keys_are_refused_in_a_line_that_repeats_nothing_private(
    rovitracker: Rovitracker, jwks: str
) -> None:
    """O-150."""
    private = key_pair("EC").as_dict(private=True)
    Path(jwks).write_bytes(orjson.dumps({"keys": [private]}))
    said = rovitracker.refuse(*KEYED, "--jwks", jwks)
    assert "key 1: it has a private half" in said
    assert str(private["d"]) not in said
    assert len(said.splitlines()) == 1
    Path(jwks).write_bytes(jwks_of(key_pair("EC")))
    assert "strict applications only" in rovitracker.refuse(*KEYED[:-1], "--jwks", jwks)
    public = ("app", "register", "--name", "Phone", "--company", "X", "--public", "--jwks", jwks)
    assert "public" in rovitracker.refuse(*public)
    assert "does not exist" in rovitracker.refuse(*KEYED, "--jwks", jwks + ".none")
