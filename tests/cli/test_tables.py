"""Tables on screens of every width: what is copied from them is whole."""

from uuid import UUID

import pytest

from app.cli.output import print_table

_ROWS = [
    {
        "client_id": str(UUID(int=number)),
        "name": "Sitewise Rentals and Hire of the North",
        "company": "Sitewise Rentals Ltd",
        "redirect_uris": "https://sitewise.example/callback\nhttps://sitewise.example/second/callback",
        "status": "active",
    }
    for number in (1, 2)
]


def shown(width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    print_table(_ROWS)
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [20, 60, 79, 110, 117, 118, 119, 130, 160, 200, 400])
def test_no_word_is_split_whatever_the_width(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(width, monkeypatch, capsys)
    for row in _ROWS:
        for word in " ".join(row.values()).split():
            assert word in text
    if "─" in text or "-+-" in text:  # a table fits; lines of a narrow screen are broken by the terminal
        assert max(map(len, text.splitlines())) <= width


def test_other_columns_yield_before_a_screen_is_too_narrow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    least = (
        36 + len("Sitewise") * 2 + len("https://sitewise.example/second/callback") + len("status") + 3 * 5 + 1
    )
    assert "│" in shown(least, monkeypatch, capsys)
    narrow = shown(least - 1, monkeypatch, capsys)
    assert "│" not in narrow
    assert f"client id      {UUID(int=2)}" in narrow.splitlines()
