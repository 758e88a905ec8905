"""Every word that a page or a mail shows is in every catalogue, and each of these tests finds what is planted."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from app.language.languages import CATALOGUES, LANGUAGES
from tests.language.catalogue import ROOT, extracted, read, templates, untranslated
from tests.language.untold import untold_in_python, untold_in_template

_PLACE = re.compile(r"%\((\w+)\)s|%%|&#x[0-9A-F]+;")
_TAG = re.compile(r"<[^>]+>")

OTHERS = [code for code in LANGUAGES if code != "en"]
every_language = pytest.mark.parametrize("code", OTHERS)


def sources_of_pages(root: Path) -> list[Path]:
    return [
        *sorted(root.glob("app/web/pages/*.py")),
        root / "app/web/errors.py",
        root / "app/mail/letters.py",
    ]


def untold(root: Path) -> dict[str, list[str]]:
    found = {file.name: untold_in_template(file) for file in templates(root)}
    found |= {file.name: untold_in_python(file) for file in sources_of_pages(root)}
    return {name: words for name, words in found.items() if words}


def missing(root: Path, code: str) -> set[str]:
    """Messages of the source that the catalogue has not, or not whole."""
    catalogue = read(root / "app" / "language" / f"{code}.po")
    asked = {str(message.id) for message in extracted(root) if message.id}
    return asked - {str(message.id) for message in catalogue} | set(untranslated(catalogue))


def unused(root: Path, code: str) -> set[str]:
    catalogue = read(root / "app" / "language" / f"{code}.po")
    return {str(message.id) for message in catalogue if message.id} - {
        str(message.id) for message in extracted(root)
    }


def misfits(catalogue: Catalog) -> list[str]:
    """Translations whose places or tags are not those of the message, or that could end an attribute."""
    return [
        text
        for message in catalogue
        if message.id
        for original, text in zip(_each(message.id), _each(message.string or ""), strict=True)
        if _parts(original) != _parts(text) or '"' in _TAG.sub("", text) or text != text.strip()
    ]


def _each(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _parts(text: str) -> list[str]:
    return sorted([match.group() for match in _PLACE.finditer(text)] + _TAG.findall(text))


def test_no_template_and_no_page_has_words_that_nobody_can_translate() -> None:
    assert len(templates(ROOT)) > 25
    assert untold(ROOT) == {}


@every_language
def test_every_message_is_translated(code: str) -> None:
    assert len(extracted(ROOT)) > 300
    assert missing(ROOT, code) == set()


@every_language
def test_no_message_is_left_over(code: str) -> None:
    assert unused(ROOT, code) == set()


@every_language
def test_translations_have_the_places_and_tags_of_their_messages(code: str) -> None:
    assert misfits(read(CATALOGUES / f"{code}.po")) == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The source, to plant faults in."""
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


LAYOUT = "app/web/pages/templates/layout.html"
PLANTED_WORDS = {
    "a text": (LAYOUT, "</header>", "Hello there</header>"),
    "an attribute": (LAYOUT, "<body>", '<body title="Hello there">'),
    "a constant of an expression": (LAYOUT, "</header>", '{{ "Hello there" }}</header>'),
    "an argument of a macro": (LAYOUT, "{{ symbol(32) }}", '{{ symbol("Hello there") }}'),
    "a mail": ("app/mail/templates/test.txt", "{% block body %}", "{% block body %}Hello there"),
    "a notice of a page": (
        "app/web/pages/security.py",
        'Sentence("The browser was signed out.")',
        '"The browser was signed out."',
    ),
}


@pytest.mark.parametrize(("file", "old", "new"), PLANTED_WORDS.values(), ids=PLANTED_WORDS)
def test_planted_words_are_found(copy: Path, file: str, old: str, new: str) -> None:
    _plant(copy / file, old, new)
    assert [Path(file).name] == list(untold(copy))


PLANTED_MESSAGES: dict[str, tuple[str, str, str, Callable[[Path], object]]] = {
    "a new sentence of a flow": (
        "app/flows/account/prove.py",
        'Sentence("This is not your present password.")',
        'Sentence("This is not your password of today.")',
        lambda root: missing(root, "es") | unused(root, "es"),
    ),
    "a new text of a page": (
        LAYOUT,
        "</header>",
        "{% trans %}Hello there{% endtrans %}</header>",
        lambda root: missing(root, "es"),
    ),
    "an empty translation": (
        "app/language/es.po",
        'msgstr "Esta no es su contraseña actual."',
        'msgstr ""',
        lambda root: missing(root, "es"),
    ),
    "a fuzzy translation": (
        "app/language/es.po",
        'msgid "This is not your present password."',
        '#, fuzzy\nmsgid "This is not your present password."',
        lambda root: missing(root, "es"),
    ),
    "half a plural": (
        "app/language/es.po",
        'msgstr[1] "%(count)s años"',
        'msgstr[1] ""',
        lambda root: missing(root, "es"),
    ),
    "a place with another name": (
        "app/language/es.po",
        'msgstr "No se aceptó: %(fault)s."',
        'msgstr "No se aceptó: %(error)s."',
        lambda root: misfits(read(root / "app/language/es.po")),
    ),
    "a tag that was lost": (
        "app/language/es.po",
        'msgstr "<bdi>%(name)s</bdi> ya está conectada"',
        'msgstr "%(name)s ya está conectada"',
        lambda root: misfits(read(root / "app/language/es.po")),
    ),
}


@pytest.mark.parametrize(("file", "old", "new", "look"), PLANTED_MESSAGES.values(), ids=PLANTED_MESSAGES)
def test_planted_messages_are_found(
    copy: Path, file: str, old: str, new: str, look: Callable[[Path], object]
) -> None:
    assert not look(copy)
    extracted.cache_clear()
    _plant(copy / file, old, new)
    assert look(copy)


def _plant(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new))
