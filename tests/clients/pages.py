"""The pages of docs/clients: their blocks, with a test's own values in the places of the made-up ones."""

import re
from collections.abc import Mapping
from pathlib import Path

from tests.support.server import ROOT

PAGES = ROOT / "docs" / "clients"
ISSUER = "https://auth.rovitracker.example"  # in the pages
_AS_IT_STANDS: Mapping[str, str] = {}


def text_of(page: str) -> str:
    return (PAGES / f"{page}.md").read_text()


def block(page: str, language: str, values: Mapping[str, str] = _AS_IT_STANDS, *, number: int = 0) -> str:
    """The page's block of a language. values: what stands in the place of each made-up value."""
    text = re.findall(rf"```{language}\n(.*?)```", text_of(page), re.DOTALL)[number]
    for name, value in values.items():
        made_up = ISSUER if name == "ISSUER" else name
        assert made_up in text, f"{page}: the block has no {made_up}"
        text = text.replace(made_up, value)
    return str(text)


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file
