"""The pictures of the documents are there, are described, and are small."""

import re
from pathlib import Path

import pytest

from tests.support.server import ROOT

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 100 * 1024  # whoever clones the project fetches all of them, and each that was there before
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown() -> set[Path]:
    return {
        (document.parent / address).resolve()
        for document in DOCUMENTS
        for address in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", document.read_text())
    }


def test_documents_show_pictures_that_are_there_and_describe_them() -> None:
    pictures = shown()
    assert len(pictures) >= 6
    assert [each for each in pictures if not each.is_file()] == []
    assert not [each for each in DOCUMENTS if "![]" in each.read_text()]


@pytest.mark.parametrize("picture", sorted(IMAGES.glob("*.*")), ids=lambda each: each.name)
def test_a_picture_has_few_bytes(picture: Path) -> None:
    assert picture.stat().st_size <= MOST_BYTES
