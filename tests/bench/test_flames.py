"""`make bench-profile` at smoke size: a picture of the handlers, with nothing of the machine in it."""

from pathlib import Path

import pytest

from tests.bench.programs import start
from tests.support.server import ROOT


@pytest.mark.timeout(120)
def test_picture_shows_the_handlers_and_no_path_of_the_machine(tmp_path: Path) -> None:
    done = start("flames", "--seconds", "1", "--only", "introspect", "--out", str(tmp_path))
    if "py-spy sees nothing" in done.stderr and "permission denied" in done.stderr.lower():
        # A kernel may keep one process from reading another.
        pytest.skip("not shown: that bench-profile draws; py-spy may not look at processes here: run as root")
    assert done.returncode == 0, done.stderr
    picture = tmp_path / "flames_introspect.svg"
    assert done.stdout == f"{picture}\n"
    assert "answer_introspection" in picture.read_text()
    assert str(ROOT) not in picture.read_text()
    assert str(tmp_path) not in picture.read_text()
