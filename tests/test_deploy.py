"""The examples of `deploy/`, each read by the program that it is for, and the set-up's own refusals."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import check_names
from tests.support.certificates import write_certificate
from tests.support.debian import program
from tests.support.server import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("certificate"))


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """It looks for the programs that they start, so these are put in their place."""
    verify = program("systemd-analyze")
    if verify is None:
        pytest.skip("not shown: that systemd understands the units of deploy/; systemd-analyze is not here")
    for unit in UNITS:
        text = unit.read_text().replace("/opt/rovitracker/bin/rovitracker", f"{sys.executable}")
        (tmp_path / unit.name).write_text(text)
    done = run(verify, "verify", *(tmp_path / unit.name for unit in UNITS))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert not [line for line in done.stderr.splitlines() if "rovitracker" in line]


def test_variables_of_the_units_are_settings() -> None:
    for unit in UNITS:
        check_names(re.findall(r"ROVITRACKER_\w+", unit.read_text()))


def test_nginx_understands_its_example(certificate: Path, tmp_path: Path) -> None:
    nginx = program("nginx")
    if nginx is None:
        pytest.skip("not shown: that nginx understands deploy/nginx.conf; `make servers` installs it")
    text = (DEPLOY / "nginx.conf").read_text()
    for name in ("fullchain.pem", "privkey.pem"):
        text = text.replace(f"/etc/letsencrypt/live/auth.example.com/{name}", f"{certificate}")
    (tmp_path / "site.conf").write_text(text)
    main = tmp_path / "nginx.conf"
    main.write_text(
        f"pid {tmp_path}/pid;\nerror_log {tmp_path}/log;\nevents {{}}\n"
        f"http {{ access_log off; include {tmp_path}/site.conf; }}\n"
    )
    done = run(nginx, "-t", "-q", "-p", tmp_path, "-c", main)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_haproxy_understands_its_example(certificate: Path, tmp_path: Path) -> None:
    haproxy = program("haproxy")
    if haproxy is None:
        pytest.skip("not shown: that HAProxy understands deploy/haproxy.cfg; `make servers` installs it")
    text = (DEPLOY / "haproxy.cfg").read_text()
    file = tmp_path / "haproxy.cfg"
    file.write_text(text.replace("/etc/haproxy/certificates/auth.example.com.pem", f"{certificate}"))
    done = run(haproxy, "-c", "-q", "-f", file)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def older_python() -> Path | None:
    """Some Python that is too old, where the machine has one."""
    versions = Path.home() / ".pyenv" / "versions"
    places = [*versions.glob("3.[0-9].*/bin/python3"), *versions.glob("3.10.*/bin/python3")]
    named = [shutil.which(f"python3.{minor}") for minor in (7, 8, 9, 10)]
    for place in (*places, *(Path(name) for name in named if name)):
        if run(place, "-c", "import sys; sys.exit(sys.version_info >= (3, 11))").returncode == 0:
            return place
    return None


def test_a_python_that_is_too_old_stops_before_anything_is_made(tmp_path: Path) -> None:
    python = older_python()
    if python is None:
        pytest.skip("not shown: that an older Python is refused by `make`; this machine has none")
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    done = run("make", "-C", tmp_path, "install", f"PYTHON={python}")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr
    assert f"{python} is not" in done.stderr
    assert not (tmp_path / ".venv").exists()
