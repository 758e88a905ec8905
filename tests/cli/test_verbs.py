"""The verbs of the documented flow: what they do, what they print, what they say to bad input."""

from pathlib import Path

import pytest

from app.settings import Settings
from tests.cli.conftest import Rovitracker

FLEET = """<Fleet xmlns="http://standards.iso.org/iso/15143/-3" version="1" snapshotTime="2026-05-04T12:00:00Z">
<Equipment><EquipmentHeader><OEMName>Kranich</OEMName><Model>K 8</Model><EquipmentID>7</EquipmentID>
<SerialNumber>A-77</SerialNumber><PIN>KRANICH0000000007</PIN></EquipmentHeader>
<CumulativeOperatingHours datetime="2026-05-04T11:59:00Z"><Hour>12.5</Hour></CumulativeOperatingHours></Equipment>
</Fleet>"""

ANN = "ann@hillside.example"


@pytest.fixture(scope="module")
def ann(rovitracker: Rovitracker) -> str:
    added = rovitracker.ask(
        "customer", "add", "--email", "Ann@Hillside.example", "--name", "Hillside", stdin="long enough pw\n"
    )
    assert added["email"] == ANN
    return ANN


def test_registering_prints_the_secret_once(rovitracker: Rovitracker) -> None:
    registered = rovitracker.ask(
        *("app", "register", "--name", "Sitewise", "--company", "Sitewise Ltd"),
        *("--logo", "app/web/pages/static/sitewise.png", "--redirect-uri", "https://sitewise.example/back"),
    )
    assert registered["client_secret"].startswith("rovi_cs_")
    shown = rovitracker.run("app", "show", registered["client_id"]).stdout
    assert registered["client_secret"] not in shown
    assert '"logo": true' in shown
    listed = rovitracker.ask("app", "list")
    assert registered["client_id"] in {each["client_id"] for each in listed}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--redirect-uri", "http://sitewise.example/"), "http://sitewise.example/"),
        (("--redirect-uri", "https://sitewise.example/#x"), "fragment"),
        (("--logo", "README.md"), "not a PNG, JPEG or WebP"),
        (("--scope", "aemp:write"), "aemp:read"),
    ],
)
def test_a_refused_registration_stores_nothing(
    arguments: tuple[str, ...], told: str, rovitracker: Rovitracker
) -> None:
    """O-10, O-13, O-33, O-124, R-35, R-66."""
    name = f"Refused {told}"
    said = rovitracker.refuse("app", "register", "--name", name, "--company", "X", *arguments)
    assert told in said
    assert len(said.splitlines()) == 1
    assert name not in rovitracker.run("app", "list").stdout


def test_an_address_is_given_to_one_person_only(ann: str, rovitracker: Rovitracker) -> None:
    again = ("customer", "add", "--email", ann, "--name", "Another")
    assert "already" in rovitracker.refuse(*again, stdin="long enough pw\n")
    new = ("customer", "add", "--email", "b@x.example", "--name", "B")
    assert "10 to" in rovitracker.refuse(*new, stdin="short\n")
    assert "stdin" in rovitracker.refuse(*new)


def test_import_show_and_simulate_fill_a_fleet(ann: str, rovitracker: Rovitracker, tmp_path: Path) -> None:
    document = tmp_path / "fleet.xml"
    document.write_text(FLEET)
    for added, updated in ((1, 0), (0, 1)):
        [imported] = rovitracker.ask("fleet", "import", "--customer", ann, str(document))
        assert (imported["added"], imported["updated"]) == (added, updated)
    simulated = rovitracker.ask("fleet", "simulate", "--customer", ann, "--machines", "120", "--days", "2")
    assert simulated["added"] == 120
    first, second = (rovitracker.ask("fleet", "show", "--customer", ann, "--page", page) for page in "12")
    assert (len(first), len(second)) == (100, 21)
    assert first[0]["pin"] == "KRANICH0000000007"
    assert first[0]["hours"] == 12.5


def test_no_two_customers_are_given_one_simulated_machine(rovitracker: Rovitracker) -> None:
    """A PIN has one fleet that its readings go to."""
    fleets = []
    for email in ("cy@north.example", "di@south.example"):
        rovitracker.ask("customer", "add", "--email", email, "--name", email, stdin="long enough pw\n")
        customer = ("--customer", email)
        rovitracker.ask("fleet", "simulate", *customer, "--machines", "20", "--days", "1", "--interval", "1h")
        fleets.append({each["pin"] for each in rovitracker.ask("fleet", "show", *customer)} - {None})
    first, second = fleets
    assert len(first) > 10
    assert len(second) > 10
    assert not first & second


def test_a_machine_changes_hands_and_leaves(ann: str, rovitracker: Rovitracker, tmp_path: Path) -> None:
    document = tmp_path / "fleet.xml"
    document.write_text(FLEET.replace("0000007", "0000008"))
    rovitracker.ask("fleet", "import", "--customer", ann, str(document))
    bo = "bo@quarry.example"
    rovitracker.ask("customer", "add", "--email", bo, "--name", "Quarry", stdin="long enough pw\n")
    transfer = ("fleet", "transfer", "--from", ann, "--to", bo, "kranich0000000008")
    handed = rovitracker.ask(*transfer)
    assert (handed["pin"], handed["status"]) == ("KRANICH0000000008", "transferred")
    [theirs] = rovitracker.ask("fleet", "show", "--customer", bo)
    assert (theirs["pin"], theirs["hours"]) == ("KRANICH0000000008", None)
    assert "Hillside has no machine kranich0000000008" in rovitracker.refuse(*transfer)
    remove = ("fleet", "remove", "--customer", bo, "KRANICH0000000008")
    assert rovitracker.ask(*remove)["status"] == "removed"
    assert rovitracker.ask("fleet", "show", "--customer", bo) == []
    said = rovitracker.refuse(*remove)
    assert "`rovitracker fleet show`" in said
    assert len(said.splitlines()) == 1
    assert "nobody signs in with" in rovitracker.refuse("fleet", "remove", "--customer", "x@x.example", "1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (FLEET.replace("</Fleet>", ""), "line"),
        ('<!DOCTYPE x [<!ENTITY e "x">]>' + FLEET, "document type"),
        ("not a document", "fleet.xml"),
    ],
    ids=["cut off", "entities", "rubbish"],
)
def test_a_broken_file_is_named_and_nothing_of_it_imported(
    text: str, told: str, ann: str, rovitracker: Rovitracker, tmp_path: Path
) -> None:
    """R-70."""
    document = tmp_path / "fleet.xml"
    document.write_text(text.replace("A-77", "BROKEN"))
    said = rovitracker.refuse("fleet", "import", "--customer", ann, str(document))
    assert told in said
    assert "fleet.xml" in said
    assert "BROKEN" not in rovitracker.run("fleet", "show", "--customer", ann).stdout


def test_tokens_are_read_from_stdin_only(rovitracker: Rovitracker) -> None:
    inspected = rovitracker.ask("token", "inspect", stdin="rubbish\n")
    assert (inspected["active"], len(inspected["reasons"])) == (False, 1)
    assert "no such token" in rovitracker.refuse("token", "revoke", stdin="rubbish\n")
    assert "token expected on stdin" in rovitracker.refuse("token", "inspect")
    assert "rovi_at_x" in rovitracker.refuse("token", "inspect", "rovi_at_x")


def test_migrate_status_lists_what_is_applied(rovitracker: Rovitracker) -> None:
    assert rovitracker.ask("migrate", "up", "--json") in ([], rovitracker.ask("migrate", "up", "--json"))
    assert {each["status"] for each in rovitracker.ask("migrate", "status")} == {"applied"}


def test_config_names_every_setting_and_masks_secrets(rovitracker: Rovitracker) -> None:
    secret = "0123456789abcdef" * 4
    done = rovitracker.run("config", "--json", ROVITRACKER_SECRET_KEYS=secret)
    assert secret not in done.stdout
    assert "********" in done.stdout
    assert all(f'"ROVITRACKER_{name.upper()}"' in done.stdout for name in Settings.model_fields)


def test_bad_settings_and_verbs_are_named_with_the_nearest(rovitracker: Rovitracker) -> None:
    """The process says so; each setting and each verb has its own test elsewhere."""
    assert "did you mean ROVITRACKER_PORT" in rovitracker.refuse("config", ROVITRACKER_PROT="1")
    assert "Did you mean 'migrate'?" in rovitracker.refuse("migrat")


def test_an_unreachable_server_is_one_line_without_its_password(rovitracker: Rovitracker) -> None:
    elsewhere = {
        "ROVITRACKER_DATABASE_URL": "postgresql://rovi:hidden@127.0.0.1:1/rovi",
        "ROVITRACKER_REDIS_URL": "redis://127.0.0.1:1",
        "ROVITRACKER_ENVIRONMENT": "development",
    }
    said = rovitracker.refuse("app", "list", **elsewhere)
    assert "hidden" not in said
    assert len(said.splitlines()) == 1


def test_mails_are_kept_listed_and_tried_again(rovitracker: Rovitracker) -> None:
    sent = rovitracker.ask("mail", "test", "Ann.Mail@Hillside.example")
    assert (sent["state"], Path(sent["reply"].removeprefix("kept as ")).name) == ("sent", f"{sent['id']}.eml")
    [listed] = rovitracker.ask("mail", "list", "--state", "sent")
    assert (listed["id"], listed["recipient"]) == (sent["id"], "ann.mail@hillside.example")
    assert "was sent already" in rovitracker.refuse("mail", "retry", sent["id"])


def test_mail_that_cannot_leave_is_one_line(rovitracker: Rovitracker) -> None:
    nowhere = {
        "ROVITRACKER_SMTP_URL": "smtp://u:hidden@localhost:1",
        "ROVITRACKER_MAIL_FROM": "a@rovi.example",
    }
    said = rovitracker.refuse("mail", "test", "ann@hillside.example", **nowhere)
    assert "not sent, the service goes on trying" in said
    assert "hidden" not in said
