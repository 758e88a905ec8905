"""An installation by each compose file: it works, it is confined, and it survives kills and stops."""

import json
import re
import subprocess
import time
from urllib.parse import urlencode

import pytest

from tests.containers.customer import ANN, MACHINES, Customer, browser_on, register
from tests.containers.engine import docker
from tests.containers.installation import Installation, wait_until
from tests.support.dockerfile import CHECKOUT
from tests.test_containers import RUN_ONCE

ONCE = tuple(RUN_ONCE)
MAIL = ("mail", "outbox")


def wrong(installation: Installation) -> list[dict[str, str]]:
    """What `doctor` does not call ok. In production the mail server is an example's, so all mail waits for it."""
    command = "docker compose exec -T service rovitracker doctor || true"
    found = [each for each in json.loads(installation.run(command)) if each["verdict"] != "ok"]
    return [each for each in found if not (installation.is_production and each["check"] in MAIL)]


async def test_after_the_first_command_an_application_is_connected_and_sees_machines(
    customer: Customer,
) -> None:
    assert len(await customer.machines(await customer.token())) == MACHINES


def test_doctor_finds_nothing_wrong_inside_the_container(customer: Customer) -> None:
    """/data cannot be written there, and is not used."""
    assert wrong(customer.installation) == []


def test_what_runs_once_ended_well_and_was_confined(customer: Customer) -> None:
    for service in ONCE:
        facts = customer.installation.facts(service)
        assert (facts["State"]["Status"], facts["State"]["ExitCode"]) == ("exited", 0), service
        assert facts["HostConfig"]["ReadonlyRootfs"], service
        assert facts["HostConfig"]["CapDrop"] == ["ALL"], service


def test_nothing_that_runs_has_a_capability_or_can_write_its_root(customer: Customer) -> None:
    installation = customer.installation
    for service in installation.lasting:
        status = dict(
            re.findall(r"^(\w+):\t(.*)$", installation.read(service, "/proc/1/status"), re.MULTILINE)
        )
        capabilities = {name: int(value, 16) for name, value in status.items() if name.startswith("Cap")}
        assert set(capabilities.values()) == {0}, (service, capabilities)
        assert status["NoNewPrivs"] == "1", service
        assert "0" not in status["Uid"].split(), service
        mounts = [line.split() for line in installation.read(service, "/proc/1/mounts").splitlines()]
        [root] = [mount[3].split(",") for mount in mounts if mount[1] == "/"]
        assert "ro" in root, service


def test_stores_have_no_way_out_and_only_loopback_has_a_way_in(customer: Customer) -> None:
    installation = customer.installation
    for store in ("postgres", "valkey"):
        settings = installation.facts(store)["NetworkSettings"]
        [network] = settings["Networks"]
        assert json.loads(docker("network", "inspect", network))[0]["Internal"], store
        assert not any(settings["Ports"].values()), store
    ways_in = [
        way["HostIp"]
        for service in installation.lasting
        for ways in installation.facts(service)["NetworkSettings"]["Ports"].values()
        for way in ways or ()
    ]
    assert set(ways_in) == {"127.0.0.1"}


@pytest.mark.parametrize("killed", ["postgres", "valkey", "service", "mail", "all"])
async def test_killed_containers_come_back_with_every_token(customer: Customer, killed: str) -> None:
    installation = customer.installation
    if killed == "mail" and installation.is_production:
        pytest.skip("production has no mail catcher")
    token = await customer.token()
    before = installation.started(installation.lasting)
    services = installation.lasting if killed == "all" else (killed,)
    installation.kill(*services)
    installation.wait_for_recovery({service: before[service] for service in services})
    spared = set(installation.lasting) - set(services)
    assert {name: before[name] for name in spared} == installation.started(tuple(spared))
    assert len(await customer.machines(token)) == MACHINES
    assert len(await customer.machines(await customer.token())) == MACHINES
    assert [each for each in wrong(installation) if each["check"] != "outbox"] == []
    # A mail that was on its way then is sent again, a minute after it was taken up.
    wait_until(lambda: wrong(installation) == [], "the mail that a killed process was sending")


@pytest.mark.parametrize(
    "stop",
    ["docker compose stop service", "docker compose kill --signal TERM service"],
    ids=["stop", "SIGTERM"],
)
async def test_a_stop_under_load_loses_no_answer_and_no_token(customer: Customer, stop: str) -> None:
    """R-102: every connection is refused or has its whole answer, and what was answered is on disk."""
    installation = customer.installation
    client = register(installation, "--strict --grant client_credentials --scope aemp:read --customer", ANN)
    fields = urlencode({"grant_type": "client_credentials", "scope": "aemp:read", **client})
    with loading(installation, fields) as load:
        assert load.stdout
        assert load.stdout.readline() == "under load\n"
        began = int(time.time())
        installation.run(stop)
        told, _ = load.communicate(timeout=120)
    fates = json.loads(told)
    assert fates["lost"] == []
    assert len(fates["tokens"]) > 100
    assert fates["last_answers"]
    assert installation.exit_statuses("service", since=began) == ["0"]
    installation.run("docker compose up --wait")
    async with browser_on(installation) as browser:
        for token in fates["tokens"]:
            answer = await browser.http.post("/app/oauth2/introspect", data={**client, "token": token})
            assert answer.json()["active"], answer.text


def loading(installation: Installation, fields: str) -> subprocess.Popen[str]:
    """tests/containers/load.py in a container of the installation's network."""
    script = (CHECKOUT / "tests" / "containers" / "load.py").read_text()
    there = ("--name", f"{installation.name}-load", "--network", f"{installation.name}_default")
    what = ("--env", f"FIELDS={fields}", "--entrypoint", "python", installation.name, "-c", script)
    return subprocess.Popen(["docker", "run", "--rm", *there, *what], stdout=subprocess.PIPE, text=True)
