"""Where data lies when nobody says."""

from pathlib import Path

import pytest

from app.embedded import default_data_dir
from app.embedded.folders import STATE_ROOT
from tests.embedded.probes import AS_ROOT


@pytest.mark.skipif(AS_ROOT, reason="root's data lies elsewhere: the next test")
def test_data_of_a_checkout_lies_in_it(tmp_path: Path) -> None:
    assert default_data_dir(tmp_path) == tmp_path / ".data"


@pytest.mark.skipif(not AS_ROOT, reason="for root only")
def test_roots_data_lies_under_var_lib_by_name_and_full_path(tmp_path: Path) -> None:
    one, other = (default_data_dir(tmp_path / parent / "project") for parent in ("one", "other"))
    assert one.parent == other.parent == STATE_ROOT
    assert one.name.startswith("project-")
    assert one != other


def test_data_without_a_checkout_lies_in_the_users_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", f"{tmp_path}")
    assert default_data_dir(None) == tmp_path / "rovitracker"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", f"{tmp_path}")
    assert default_data_dir(None) == tmp_path / ".local/share/rovitracker"
