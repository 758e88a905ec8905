"""R-76: what is too long for a verb is refused by one line that says how long it may be, before anything is done."""

import subprocess
import sys

import pytest

from tests.cli.conftest import Rovitracker
from tests.support.server import ROOT

ANN = "ann@hillside.example"
PASSWORD = "long enough password\n"
ACCENTS = "\N{COMBINING ACUTE ACCENT}" * 15_000 + "\N{COMBINING DOT BELOW}" * 15_000
LONG = "x" * 100_000
NEW = ("customer", "add", "--email", "bo@quarry.example", "--name", "Bo")
APP = ("app", "register", "--name", "Sitewise", "--company", "Sitewise Ltd")


@pytest.fixture(scope="module", autouse=True)
def _customer(rovitracker: Rovitracker) -> None:
    rovitracker.ask("customer", "add", "--email", ANN, "--name", "Hillside", stdin=PASSWORD)


# Refusals by flows are shown in tests/flows/test_bounds.py, without a process each.
REFUSED = {
    "password": (NEW, f"{ACCENTS[:8000]}\n", "password: 10 to 1000 characters"),
    "line of stdin": (NEW, LONG, "password: at most 8192 characters on one line of stdin"),
    "machine": (
        ("fleet", "remove", "--customer", ANN, ACCENTS),
        "",
        "a machine's identifier is longer than 255 characters",
    ),
    "page": (("fleet", "show", "--customer", ANN, "--page", "1" + "0" * 9), "", "999999999"),
    "interval": (
        (
            "fleet",
            "simulate",
            "--customer",
            ANN,
            "--machines",
            "1",
            "--days",
            "1",
            "--interval",
            "999999999y",
        ),
        "",
        "a duration has at most 2,700,000 years",
    ),
}


@pytest.mark.parametrize(("arguments", "stdin", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_too_long_is_refused_by_its_bound(
    rovitracker: Rovitracker, arguments: tuple[str, ...], stdin: str, told: str
) -> None:
    said = rovitracker.refuse(*arguments, stdin=stdin)
    assert told in said
    assert said.count("\n") == 1


# It never ends, and what is read of it is bounded all the same.
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("fleet", "import", "--customer", ANN), "zero: larger than 33554432 bytes"),
        ((*APP, "--logo"), "the logo has 1,048,577 bytes; 1,048,576 are accepted"),
        ((*APP, "--strict", "--jwks"), "of 16 KiB at most"),
    ],
    ids=["fleet", "logo", "keys"],
)
def test_no_more_of_a_file_is_read_than_its_bound(
    rovitracker: Rovitracker, arguments: tuple[str, ...], told: str
) -> None:
    """R-75."""
    assert told in rovitracker.refuse(*arguments, "/dev/zero")


def test_stdin_that_is_no_text_is_refused(rovitracker: Rovitracker) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", *NEW],
        cwd=ROOT,
        env=rovitracker.environment(PYTHONUTF8="1"),
        input=b"\xff" * 20,
        capture_output=True,
        timeout=60,
        check=False,
    )
    told = b"rovitracker: password: what came on stdin is not UTF-8\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", told)
