"""`make words`: every message of pages, mails and sentences, put into the catalogue of each language.

New ones are added without a translation, which the tests then ask for. Those that nobody uses any more are dropped.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from app.language.languages import CATALOGUES, ENGLISH, LANGUAGES

ROOT = Path(__file__).parent.parent.parent
# The documentation for integrators is English.
ENGLISH_ONLY = "docs.html"

_METHODS = {
    ".html": ("jinja2.ext:babel_extract", {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"}),
    ".txt": ("jinja2.ext:babel_extract", {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"}),
    ".py": ("python", {}),
}
_SENTENCE = re.compile(rb"\b(Sentence|counted|quoted)\(")
_MARKS = {"_": None, "gettext": None, "ngettext": (1, 2), "Sentence": None, "counted": (1, 2), "quoted": (2,)}

# What programs for translators ask for, without the dates that would change with every run.
_HEADER = """\
msgid ""
msgstr ""
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""


def main() -> None:
    for code, language in LANGUAGES.items():
        if language is not ENGLISH:
            file = CATALOGUES / f"{code}.po"
            file.write_bytes(renewed(file, ROOT))
            sys.stdout.write(f"{file.relative_to(ROOT)}  {len(untranslated(read(file)))} to translate\n")


def renewed(file: Path, root: Path) -> bytes:
    """A catalogue with exactly the messages of today."""
    catalogue = read(file)
    catalogue.update(extracted(root), no_fuzzy_matching=True)
    text = BytesIO()
    write_po(text, catalogue, width=0, omit_header=True, ignore_obsolete=True, include_lineno=False)
    return _HEADER.format(code=file.stem, plurals=catalogue.plural_forms).encode() + text.getvalue()


def read(file: Path) -> Catalog:
    with file.open("rb") as text:
        return read_po(text, locale=file.stem)


@cache
def extracted(root: Path) -> Catalog:
    """Every message that stands in the source below a folder."""
    catalogue = Catalog()
    for file in sources(root):
        method, options = _METHODS[file.suffix]
        name = str(file.relative_to(root))
        for line, message, _, context in extract_from_file(method, file, _MARKS, options=options):
            catalogue.add(message, locations=[(name, line)], context=context)
    return catalogue


def sources(root: Path) -> Iterator[Path]:
    speaking = (file for file in root.glob("app/**/*.py") if _SENTENCE.search(file.read_bytes()))
    return iter(sorted((*speaking, *templates(root))))


def templates(root: Path) -> list[Path]:
    """The templates of pages and mails."""
    found = (*root.glob("app/**/templates/**/*.html"), *root.glob("app/**/templates/*.txt"))
    return sorted(file for file in found if file.name != ENGLISH_ONLY)


def untranslated(catalogue: Catalog) -> list[str]:
    """Messages without a whole translation of their own."""
    return [str(each.id) for each in catalogue if each.id and (each.fuzzy or not _whole(each.string))]


def _whole(translation: Sequence[str] | None) -> bool:
    return all(translation or ("",))


if __name__ == "__main__":
    main()
