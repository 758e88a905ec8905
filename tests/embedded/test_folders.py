"""The data directory when none is set."""

import os
from pathlib import Path

import pytest

from app.embedded import default_data_dir
from app.embedded.folders import STATE_ROOT, data_dir_of


def test_data_of_a_checkout_lies_in_it(tmp_path: Path) -> None:
    assert data_dir_of(tmp_path, uid=1000) == tmp_path / ".data"


def test_roots_data_lies_under_var_lib_by_name_and_full_path(tmp_path: Path) -> None:
    one, other = (data_dir_of(tmp_path / parent / "project", uid=0) for parent in ("one", "other"))
    assert one.parent == other.parent == STATE_ROOT
    assert one.name.startswith("project-")
    assert one != other


def test_data_lies_where_it_does_for_whoever_runs_this_and_by_whatever_path(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert default_data_dir(tmp_path / "link") == data_dir_of(tmp_path, os.geteuid())


def test_data_without_a_checkout_lies_in_the_users_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", f"{tmp_path}")
    assert default_data_dir(None) == tmp_path / "rovitracker"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", f"{tmp_path}")
    assert default_data_dir(None) == tmp_path / ".local/share/rovitracker"
