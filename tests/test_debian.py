"""`make servers`: which packages it asks for, what it keeps from starting, and what it says of one it cannot have.

apt-get, systemctl and update-rc.d are programs of this file, which write down what they were told.
"""

import os
from pathlib import Path

import pytest

from tests.support import debian

NOTE = '#!/bin/sh\necho "${0##*/} $* level=$RUNLEVEL" >>"${0%/*}/told"\n'
# This one installs a program of the package's name, but no package that begins with "un".
APT = NOTE + 'for name; do :; done\ncase "$name" in un*) exit 100;; *) cp "$0" "${0%/*}/$name";; esac\n'
SUDDEN = ("rovitracker-front", "rovitracker-pool")  # no machine has servers of these names


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {"apt-get": APT, "systemctl": NOTE, "update-rc.d": NOTE}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path / "told"


def lines_of(told: Path) -> list[str]:
    return told.read_text().splitlines()


def test_what_is_there_is_not_installed_again(told: Path) -> None:
    assert debian.main(["sh", "ls"]) == 0
    assert not told.exists()


def test_a_package_whose_program_is_called_otherwise_is_known_by_its_program(told: Path) -> None:
    (told.parent / "redis-cli").symlink_to("/bin/true")
    assert debian.main(["redis-tools"]) == 0
    assert not told.exists()


@pytest.mark.parametrize("systemd", [False, True])
def test_servers_are_installed_and_not_started(
    told: Path,
    monkeypatch: pytest.MonkeyPatch,
    systemd: bool,  # noqa: FBT001  # a column of the table above
) -> None:
    monkeypatch.setattr(debian, "_SYSTEMD", told.parent / ("." if systemd else "absent"))
    assert debian.main(SUDDEN) == 0
    lines = lines_of(told)
    asked = [line for line in lines if line.startswith("apt-get")]
    assert [line.split()[-2] for line in asked] == ["update", *SUDDEN]
    assert all(line.endswith("level=1") for line in asked)
    units = " ".join(f"{name}.service" for name in SUDDEN)
    masks = [line for line in lines if line.startswith("systemctl")]
    if systemd:
        assert [line.split(" level")[0] for line in masks] == [
            f"systemctl {word} --runtime --quiet {units}" for word in ("mask", "unmask")
        ]
        assert lines.index(masks[0]) < lines.index(asked[1]) <= lines.index(asked[-1]) < lines.index(masks[1])
    else:
        assert not masks
    assert [line.split()[:3] for line in lines[-2:]] == [["update-rc.d", name, "disable"] for name in SUDDEN]


def test_a_server_that_is_called_otherwise_than_its_package_is_kept_from_starting(
    told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """etcd-server brings etcd."""
    monkeypatch.setattr(debian, "_SYSTEMD", told.parent)
    (told.parent / "rovitracker-front").symlink_to("/bin/true")
    assert debian.main(["rovitracker-front-server"]) == 0
    lines = [line.split(" level")[0] for line in lines_of(told)]
    assert "systemctl mask --runtime --quiet rovitracker-front.service" in lines
    assert lines[-1] == "update-rc.d rovitracker-front disable"


def test_a_server_that_cannot_be_had_is_named_and_the_others_are_installed(
    told: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert debian.main(["unheard-of", SUDDEN[0]]) == 1
    assert "servers: unheard-of is not installed: apt-get could not get it" in capfd.readouterr().err
    assert debian.program(SUDDEN[0]) == str(told.parent / SUDDEN[0])


def test_somebody_who_is_not_root_is_told_so(
    told: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert debian.main(SUDDEN) == 1
    assert capfd.readouterr().err.splitlines() == [
        f"servers: {name} is not installed: only root may install packages" for name in SUDDEN
    ]
    assert not told.exists()


def test_modules_of_apache_are_found_by_their_files(
    told: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(debian, "_APACHE_MODULES", told.parent)
    (told.parent / "mod_auth_made_up.so").touch()
    assert debian.main(["libapache2-mod-auth-made-up"]) == 0
    assert not told.exists()
    assert debian.main(["libapache2-mod-unheard-of"]) == 1
    assert "servers: libapache2-mod-unheard-of is not installed" in capfd.readouterr().err


def test_servers_are_found_where_only_root_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert debian.program("update-rc.d") in {"/usr/sbin/update-rc.d", None}
    assert debian.program("rovitracker-front") is None
