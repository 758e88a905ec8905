"""Dockerfile and compose files, checked without an engine: by the published schema, a linter, and Settings itself."""

import json
import os
import re
import stat
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.door.server import GRACE_S
from app.setting_kinds import parse_duration
from app.settings import (
    PREFIX,
    SECRETS_DIR,
    Settings,
    SettingsError,
    check_names,
    load_settings,
)
from deploy.create_secrets import READERS, create_secrets, rotate_key
from tests.support.composition import BASE, PRODUCTION, Read, read_compose, tool
from tests.support.dockerfile import CHECKOUT, build_context, read_stages

HTTPS = "https://auth.example.com"
TLS_MAIL = "smtps://user:password@mail.example.com:465"
PRODUCTION_VARIABLES = {
    "ROVITRACKER_PUBLIC_URL": HTTPS,
    "ROVITRACKER_SMTP_URL": TLS_MAIL,
    "ROVITRACKER_MAIL_FROM": "Example <no-reply@example.com>",
}
SUPPORT = {"ROVITRACKER_SUPPORT_EMAIL": "support@example.com"}
RUN_ONCE = {"secrets", "migrate"}

_VARIABLE = re.compile(rf"{PREFIX}[A-Z0-9_]+")


@pytest.fixture
def base(tmp_path: Path) -> dict[str, Any]:
    return read_compose(tmp_path, BASE).document


@pytest.fixture
def production(tmp_path: Path) -> dict[str, Any]:
    return read_compose(tmp_path, BASE, PRODUCTION, **PRODUCTION_VARIABLES).document


def test_compose_files_follow_the_published_schema(tmp_path: Path, production: dict[str, Any]) -> None:
    merged = tmp_path / "merged.json"
    merged.write_text(json.dumps(production))
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(BASE), str(merged)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dockerfile_passes_the_linter() -> None:
    command = [tool("hadolint"), "--failure-threshold", "style", str(CHECKOUT / "Dockerfile")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "compose.production.yaml"])
def test_variables_are_settings(name: str) -> None:
    found = _VARIABLE.findall((CHECKOUT / name).read_text())
    assert found
    check_names(found)


def test_secrets_are_settings(tmp_path: Path) -> None:
    create_secrets(tmp_path, {})
    for reader in ("service", "migrate"):
        names = [file.name.upper() for file in (tmp_path / reader).iterdir()]
        assert f"{PREFIX}DATABASE_URL" in names
        check_names(names)


def test_compose_yaml_is_for_development(base: dict[str, Any]) -> None:
    for name in ("migrate", "service"):
        assert base["services"][name]["environment"]["ROVITRACKER_ENVIRONMENT"] == "development"
    assert "mail" in base["services"]


def test_production_leaves_development_out(production: dict[str, Any]) -> None:
    for name in ("migrate", "service"):
        environment = production["services"][name]["environment"]
        assert "ROVITRACKER_ENVIRONMENT" not in environment
        assert environment["ROVITRACKER_PUBLIC_URL"] == HTTPS
        assert environment["ROVITRACKER_SMTP_URL"] == TLS_MAIL
    assert "mail" not in production["services"]


@pytest.mark.parametrize("given", [{}, SUPPORT], ids=["not said", "said"])
def test_production_takes_the_mailbox_for_reports(tmp_path: Path, given: dict[str, str]) -> None:
    """`doctor` warns where there is none, so there has to be a way to name it."""
    document = read_compose(tmp_path, BASE, PRODUCTION, **PRODUCTION_VARIABLES, **given).document
    [name] = SUPPORT
    assert document["services"]["service"]["environment"][name] == given.get(name, "")


@pytest.mark.parametrize("missing", PRODUCTION_VARIABLES)
def test_production_asks_for_what_it_needs(tmp_path: Path, missing: str) -> None:
    given = {name: value for name, value in PRODUCTION_VARIABLES.items() if name != missing}
    read = read_compose(tmp_path, BASE, PRODUCTION, **given)
    assert read == Read({}, read.complaint)
    assert missing in read.complaint


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({}, None),
        ({"ROVITRACKER_PUBLIC_URL": "http://auth.example.com"}, "https origin"),
        ({"ROVITRACKER_SMTP_URL": "smtp://mail.example.com:25"}, "must use TLS"),
    ],
)
def test_service_takes_production_only_with_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], complaint: str | None
) -> None:
    read = read_compose(tmp_path, BASE, PRODUCTION, **{**PRODUCTION_VARIABLES, **changed})
    create_secrets(tmp_path / "secrets", {})
    monkeypatch.setenv("ROVITRACKER_SECRETS_DIR", str(tmp_path / "secrets" / "service"))
    for name, value in read.document["services"]["service"]["environment"].items():
        monkeypatch.setenv(name, value)
    if complaint is None:
        assert not load_settings().development
    else:
        with pytest.raises(SettingsError, match=complaint):
            load_settings()


def test_start_waits_for_what_it_needs(base: dict[str, Any]) -> None:
    waits = {
        name: {on: how["condition"] for on, how in service.get("depends_on", {}).items()}
        for name, service in base["services"].items()
    }
    assert waits == {
        "secrets": {},
        "postgres": {"secrets": "service_completed_successfully"},
        "valkey": {"secrets": "service_completed_successfully"},
        "migrate": {"postgres": "service_healthy"},
        "service": {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "valkey": "service_healthy",
        },
        "mail": {},
    }
    for name in ("postgres", "valkey"):
        assert base["services"][name]["healthcheck"]["test"]
    assert read_stages()[-1].one("HEALTHCHECK").arguments[0] == "python"


def test_what_runs_once_is_not_started_again(base: dict[str, Any]) -> None:
    restarts = {name: service["restart"] for name, service in base["services"].items()}
    assert restarts == {name: "no" if name in RUN_ONCE else "unless-stopped" for name in base["services"]}


def test_an_engine_waits_longer_than_the_service_takes_to_end(base: dict[str, Any]) -> None:
    """R-102: answers under way, then the stores."""
    grace = parse_duration(base["services"]["service"]["stop_grace_period"])
    assert grace > timedelta(seconds=GRACE_S) + Settings.model_fields["shutdown_delay"].default


def test_containers_are_confined(base: dict[str, Any]) -> None:
    for name, service in base["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert ("cap_add" in service) == (name == "secrets"), name
    assert base["services"]["secrets"]["cap_add"] == ["CHOWN"]
    assert base["services"]["secrets"]["network_mode"] == "none"


def test_stores_are_out_of_reach(base: dict[str, Any]) -> None:
    assert base["networks"]["stores"]["internal"]
    for name in ("postgres", "valkey", "migrate"):
        assert base["services"][name]["networks"] == ["stores"], name
    published = [port for service in base["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_images_are_pinned_and_name_no_registry(base: dict[str, Any]) -> None:
    theirs = [service["image"] for service in base["services"].values() if "build" not in service]
    for image in [*theirs, *(stage.base for stage in read_stages())]:
        assert re.fullmatch(r"([a-z]+/)?[a-z]+:v?\d+\.\d+\.?\d*(-[a-z]+)*", image), image


def test_only_the_secrets_step_is_root(base: dict[str, Any]) -> None:
    users = {name: service.get("user") for name, service in base["services"].items()}
    image_user = read_stages()[-1].one("USER").text
    assert users.pop("secrets") == "0:0"
    assert not any((user or image_user).startswith("0") for user in users.values())


def test_each_reader_gets_its_own_secrets(base: dict[str, Any]) -> None:
    image_user = read_stages()[-1].one("USER").text
    for reader, group in READERS.items():
        service = base["services"][reader]
        assert service.get("user", image_user).partition(":")[2] == str(group), reader
        mounted = [volume for volume in service["volumes"] if "-secrets:" in volume]
        assert mounted == [f"{reader}-secrets:{SECRETS_DIR}:ro"], reader
        assert f"{reader}-secrets:/secrets/{reader}" in base["services"]["secrets"]["volumes"]


def test_secrets_are_readable_by_owner_and_group_alone(tmp_path: Path) -> None:
    own = dict.fromkeys(READERS, os.getgid())
    create_secrets(tmp_path, own)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) == 11
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o440, file
        assert file.stat().st_gid == os.getgid(), file


def test_owner_of_the_schema_is_known_to_the_migration_alone(tmp_path: Path) -> None:
    create_secrets(tmp_path, {})
    password = (tmp_path / "postgres" / "owner_password").read_text()
    knowing = {
        file.parent.name for file in tmp_path.rglob("*") if file.is_file() and password in file.read_text()
    }
    assert knowing == {"postgres", "migrate"}


def test_second_run_keeps_the_secrets(tmp_path: Path) -> None:
    create_secrets(tmp_path, {})
    first = {file: file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    create_secrets(tmp_path, {})
    assert {file: file.read_text() for file in first} == first


def test_interrupted_run_ends_in_secrets_that_fit(tmp_path: Path) -> None:
    """Killed after the addresses were written: the passwords made later are those of the addresses."""
    create_secrets(tmp_path, {})
    login_url = (tmp_path / "service" / "rovitracker_database_url").read_text()
    (tmp_path / "postgres" / "login_password").unlink()
    (tmp_path / "migrate" / "rovitracker_database_url").unlink()
    (tmp_path / "migrate" / ".draft").write_text("half")
    create_secrets(tmp_path, {})
    assert (tmp_path / "postgres" / "login_password").read_text() in login_url
    assert (tmp_path / "migrate" / "rovitracker_database_url").read_text() == login_url


def test_rotated_key_seals_and_the_one_before_still_opens(tmp_path: Path) -> None:
    create_secrets(tmp_path, {})
    seen = [(tmp_path / "service" / "rovitracker_secret_keys").read_text()]
    for _ in range(2):
        rotate_key(tmp_path, {})
        newest, before = (tmp_path / "service" / "rovitracker_secret_keys").read_text().split(",")
        assert before == seen[-1]
        seen.append(newest)
    assert len(set(seen)) == 3
    assert (tmp_path / "migrate" / "rovitracker_secret_keys").read_text() == f"{seen[2]},{seen[1]}"


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    create_secrets(tmp_path / "one", {})
    create_secrets(tmp_path / "two", {})
    one, two = (
        {file.read_text() for file in (tmp_path / name).rglob("*") if file.is_file()}
        for name in ("one", "two")
    )
    assert one
    assert not one & two


def test_build_sees_only_what_it_copies(tmp_path: Path) -> None:
    sent = {path.name for path in build_context(tmp_path).iterdir()}
    copied = {source for instruction in read_stages()[0].all("COPY") for source in instruction.arguments[:-1]}
    assert sent == copied


def test_image_runs_as_a_fixed_number_and_writes_only_data() -> None:
    image = read_stages()[-1]
    assert image.one("USER").text == "10001:10001"
    assert image.environment["ROVITRACKER_DATA_DIR"] == "/data"
    assert image.one("ENTRYPOINT").arguments == ["rovitracker"]
    assert image.one("CMD").arguments == ["serve", "--host", "0.0.0.0"]  # noqa: S104  # inside a container
