"""compose.citus.yaml, checked without an engine. tests/distributed runs its servers and steps where there is a Citus."""

import json
import os
import re
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.settings import SECRETS_DIR, check_names
from tests.support.composition import BASE, CITUS, PRODUCTION, read_compose, tool
from tests.support.dockerfile import CHECKOUT
from tests.support.growing import blocks
from tests.test_containers import PRODUCTION_VARIABLES

NODES = ("postgres", "worker1", "worker2")
THEIRS = (*NODES, "join")
FIRST_START = ":/docker-entrypoint-initdb.d/forget_"


def test_the_page_lays_the_file_over_the_others(tmp_path: Path) -> None:
    """`compose up` itself needs an engine. tests/distributed runs the servers and steps that it would start."""
    [command] = blocks("The same with containers")
    words = shlex.split(command)
    named = [CHECKOUT / after for word, after in pairwise(words) if word == "-f"]
    assert named == [BASE, CITUS]
    assert (words[:2], words[-3:]) == (["docker", "compose"], ["up", "--build", "--wait"])
    assert set(NODES) < read_compose(tmp_path, *named).document["services"].keys()


@pytest.fixture(params=["alone", "in production"])
def services(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """The merged services, of each way to lay the file over the others. Both must follow the published schema."""
    production = request.param == "in production"
    files, variables = ([BASE, PRODUCTION], PRODUCTION_VARIABLES) if production else ([BASE], {})
    read = read_compose(tmp_path, *files, CITUS, **variables)
    merged = tmp_path / "merged.json"
    merged.write_text(json.dumps(read.document))
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(CITUS), str(merged)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "ROVITRACKER_ENVIRONMENT" in read.document["services"]["service"]["environment"]
    ) is not production
    found: dict[str, Any] = read.document["services"]
    return found


def test_start_waits_for_what_it_needs(services: dict[str, Any]) -> None:
    waits = {
        name: {on: how["condition"] for on, how in service.get("depends_on", {}).items()}
        for name, service in services.items()
    }
    for node in NODES:
        assert waits[node] == {"secrets": "service_completed_successfully"}
        assert services[node]["healthcheck"]["test"]
        assert services[node]["restart"] == "unless-stopped"
    assert waits["join"] == dict.fromkeys(NODES, "service_healthy")
    assert services["join"]["restart"] == "no"
    assert waits["migrate"]["join"] == waits["service"]["migrate"] == "service_completed_successfully"


def test_the_service_knows_that_its_tables_are_distributed(services: dict[str, Any]) -> None:
    for name in ("migrate", "service"):
        assert services[name]["environment"]["ROVITRACKER_DISTRIBUTED"] == "citus"
        check_names([each for each in services[name]["environment"] if each.startswith("ROVITRACKER_")])


def test_servers_are_alike_pinned_confined_and_out_of_reach(services: dict[str, Any]) -> None:
    for name in THEIRS:
        service = services[name]
        assert re.fullmatch(r"citusdata/citus:\d+\.\d+\.\d+", service["image"]), name
        assert service["image"] == services["postgres"]["image"], name
        assert service["user"] == "999:999", name
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["networks"] == ["stores"], name
        assert "ports" not in service, name
        assert f"postgres-secrets:{SECRETS_DIR}:ro" in service["volumes"], name
    for name in NODES:
        assert services[name]["command"] == services["postgres"]["command"], name
    for name in ("command", "environment", "shm_size", "stop_grace_period", "tmpfs"):
        assert services["worker1"][name] == services["worker2"][name] == services["postgres"][name], name


def test_each_mounted_file_is_there_and_entered(services: dict[str, Any]) -> None:
    for name in (*THEIRS, "migrate"):
        mounted = [each.split(":") for each in services[name]["volumes"] if each.startswith("./")]
        assert all((CHECKOUT / here).is_file() and mode == "ro" for here, _, mode in mounted), name
        places = [there for _, there, _ in mounted]
        shell, script = services[name]["entrypoint"]
        assert (shell, script in places) == ("sh", True), name


def test_servers_forget_the_password_that_the_image_would_leave_them(services: dict[str, Any]) -> None:
    """libpq prefers PGPASSWORD to the file of passwords, and has one password in it for every name."""
    for node in NODES:
        [here] = [each.split(":")[0] for each in services[node]["volumes"] if FIRST_START in each]
        script = CHECKOUT / here
        assert not script.stat().st_mode & 0o111  # the entry point would run it in a shell of its own
        told = subprocess.run(
            ["sh", "-euc", f". {script}; echo ${{PGPASSWORD-forgotten}}"],
            env={**os.environ, "PGPASSWORD": "of the superuser"},
            check=True,
            capture_output=True,
            text=True,
        )
        assert told.stdout == "forgotten\n"
