"""Templates are ready before anybody asks for a page."""

from datetime import UTC
from pathlib import Path

import pytest
from jinja2 import Environment

from app.language.languages import ENGLISH
from app.language.templates import Templates
from app.main import create_app
from app.settings import Settings
from app.web.pages.render import TEMPLATES


async def test_no_visitor_waits_while_a_page_is_compiled(settings: Settings) -> None:
    """R-110: that took up to 50 ms of the loop, once for each page and process."""
    compiled = TEMPLATES.environment.cache
    assert compiled is not None
    compiled.clear()
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        assert {name for _, name in compiled} == set(TEMPLATES.environment.list_templates())


def filled(folder: Path) -> str:
    return Templates(folder).fill("page.html", ENGLISH, UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "page.html").write_text("before")
    return folder


def test_the_next_process_finds_templates_compiled_until_they_change(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Templates(folder).compile()
    with monkeypatch.context() as patched:
        patched.setattr(Environment, "compile", None)
        assert filled(folder) == "before"
    (folder / "page.html").write_text("after")
    assert filled(folder) == "after"


def test_code_that_another_set_up_made_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Templates(folder).compile()
    monkeypatch.setattr("jinja2.__version__", "0")
    monkeypatch.setattr(Environment, "compile", None)
    with pytest.raises(TypeError):
        filled(folder)


def test_pages_are_filled_where_no_code_can_be_kept(folder: Path) -> None:
    (folder.parent / "__pycache__").touch()
    assert filled(folder) == "before"
    assert (folder.parent / "__pycache__").read_bytes() == b""


def test_no_code_is_kept_by_who_keeps_none_of_modules(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    assert filled(folder) == "before"
    assert not (folder.parent / "__pycache__").exists()
