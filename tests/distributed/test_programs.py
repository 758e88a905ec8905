"""Where CITUS_BIN leads nowhere, a run says what is missing and where to look."""

import sys
from pathlib import Path

import pytest

from app.embedded.software import installed_software
from tests.distributed.__main__ import NOT_SHOWN, main

PLAIN = str(Path(installed_software().postgres).parent)
LACKING = {
    "": "CITUS_BIN names no folder",
    str(Path(sys.executable).parent): "which CITUS_BIN names, has no program postgres",
    PLAIN: "which CITUS_BIN names, has no extension citus",
}


@pytest.mark.parametrize("named", LACKING)
def test_what_is_missing_is_said(
    named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CITUS_BIN", named)
    assert main([]) == NOT_SHOWN
    said = capsys.readouterr().err
    assert said.startswith("not shown: ")
    assert LACKING[named] in said
    assert "set CITUS_BIN to the folder of PostgreSQL's programs" in said
