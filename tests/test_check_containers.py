"""`make check-containers` where it can show nothing: each claim is named, and the status is one of its own."""

from pathlib import Path

import pytest

from tests.containers.__main__ import UNKNOWN, claims, main

SCRIPT = """#!/bin/sh
case "$*" in
  {answered}) exit 0 ;;
  "compose version"*) echo {compose} ;;
  *) echo "what docker says" >&2; echo "the last line of it" >&2; exit 1 ;;
esac
"""


def docker(folder: Path, *, answered: str, compose: str) -> None:
    """A command line that does this much and no more. answered: a pattern of what it does."""
    program = folder / "docker"
    program.write_text(SCRIPT.format(answered=answered, compose=compose))
    program.chmod(0o700)


@pytest.mark.parametrize(
    ("answered", "compose", "reason"),
    [
        (None, "", "no container engine here: there is no docker command"),
        ("nothing", "", "no container engine here: the last line of it"),
        ("version*", "v2.23.3", "Compose 2.24 or newer is needed, and this is v2.23.3"),
        ("version*", "2.40.1", "is not here and cannot be pulled: the last line of it"),
    ],
    ids=["no command", "no engine", "an old compose", "no images"],
)
def test_where_nothing_can_be_shown_each_claim_is_named(  # noqa: PLR0917  # pytest gives them by name
    answered: str | None,
    compose: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if answered is not None:
        docker(tmp_path, answered=answered, compose=compose)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([]) == UNKNOWN
    *named, last = capsys.readouterr().err.splitlines()
    assert named == [f"containers: not shown: {claim}" for claim in claims()]
    assert "containers: not shown: killed containers come back with every token" in named
    assert last.startswith("containers: nothing was shown: ")
    assert last.endswith(reason)
