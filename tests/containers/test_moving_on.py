"""What docs/operators.md says about backups and upgrades, with containers, by its own commands."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.containers.customer import MACHINES, Customer
from tests.containers.installation import OURS, START, Installation, documented, installation, wait_until
from tests.containers.test_running import wrong
from tests.support.dockerfile import CHECKOUT

# What the image is made of.
SOURCES = ("Dockerfile", "requirements.txt", "pyproject.toml", "app", "sql")


async def write_everything(customer: Customer, token: str) -> None:
    """An approval and a token, telemetry, its trail, and the upkeep; the token of before opens the same machines."""
    pins = await customer.machines(token)
    assert len(pins) == MACHINES
    assert await customer.machines(await customer.token()) == pins
    assert (await customer.report(pins[0]))["stored"] == 1
    newest = customer.installation.rovitracker("audit tail --lines 3")
    told = {"person.signed_in", "application.registered", "application.approved"}
    assert {each["event"] for each in newest} == told
    [upkeep] = documented("Upkeep")
    assert json.loads(customer.installation.run(upkeep))["partitions_postponed"] == []
    # A mail that was on its way when the dump was made is sent again, a minute after it was taken up.
    wait_until(lambda: wrong(customer.installation) == [], "a mail that the dump caught on its way")


async def test_a_dump_is_restored_into_a_new_installation_which_takes_writes_of_every_kind(
    customer: Customer, tmp_path: Path
) -> None:
    dump, restore = documented("Backup")
    token = await customer.token()
    customer.installation.run(dump)
    old = customer.installation
    with installation("restored", tmp_path / "restored", files=old.files) as new:
        shutil.copy(old.folder / "rovitracker.dump", new.folder)
        new.run(restore)
        await write_everything(Customer(new, customer.client), token)


async def test_an_upgrade_from_the_image_before_keeps_every_token(tmp_path: Path) -> None:
    checkout = tmp_path / "before"
    check_out(revision_before(), checkout)
    with installation("upgraded", tmp_path / "upgraded", checkout=checkout) as before:
        before.run(START)
        customer = Customer.add(before)
        token = await customer.token()
        images = images_of(before)
        after = before.checked_out(CHECKOUT)
        after.run(START)
        assert not images & images_of(after)
        await write_everything(Customer(after, customer.client), token)


def images_of(installation: Installation) -> set[str]:
    return {installation.facts(service)["Image"] for service in OURS}


def revision_before() -> str:
    """BEFORE, or the last release, or the last commit whose image was another one."""
    named = os.environ.get("BEFORE")
    if named:
        return named
    if git("diff", "--name-only", "HEAD", "--", *SOURCES):
        return "HEAD"
    changed = git("log", "-1", "--format=%H", "--", *SOURCES)
    return git("describe", "--tags", "--abbrev=0", f"{changed}^") or f"{changed}^"


def check_out(revision: str, folder: Path) -> None:
    folder.mkdir()
    archive = subprocess.run(["git", "archive", revision], cwd=CHECKOUT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"not shown: an upgrade; git has no revision {revision} here")
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
