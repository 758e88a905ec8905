"""The texts of settings as they stand in the environment, in files of the secrets folder and in `.env`.

What is there and cannot be read is refused by its name, and never taken for a setting that is not there.
"""

import re
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from app.refused import SetUpError

PREFIX = "ROVITRACKER_"
SECRETS_DIR = Path("/run/secrets")  # where container engines mount theirs

_LARGEST = 64 * 1024  # bytes; /dev/zero would be read for ever
_QUOTES = "\"'`"
_LAST_CONTROL = 0x1F
_REFERENCE = re.compile(r"\$\{(?P<name>[^{}:]*+)\}")


class SettingsError(SetUpError):
    """What is wrong with the settings, a line each, and what to set instead."""


class Text(NamedTuple):
    """A setting's text. place: where it stands, empty for the environment. name: as it is spelt there."""

    name: str
    value: str
    place: str = ""

    @property
    def setting(self) -> str:
        return self.name.upper()


def read_environment(environment: Mapping[str, str]) -> list[Text]:
    """The settings in the environment. An empty one is not set: compose files hand on so what nobody set."""
    return _checked(
        [Text(name, value) for name, value in environment.items() if name.upper().startswith(PREFIX)]
    )


def read_env_file(path: Path, environment: Mapping[str, str]) -> list[Text]:
    """The settings in a file of lines NAME=value. environment: what `${NAME}` may name beside those.

    Raises SettingsError when the file is there and cannot be read, or a line of it.
    """
    if not path.is_symlink() and not path.exists():
        return []
    if (path / "pyvenv.cfg").is_file():  # some people call their virtual environment so
        return []
    text = _read(path, may_wait=True)
    known = {*environment}
    for binding in parse_stream(StringIO(text)):
        _check_line(path, binding, known)
    values = dotenv_values(stream=StringIO(text))
    found = [Text(name, value or "", f"{path}") for name, value in values.items()]
    return _checked([text for text in found if text.setting.startswith(PREFIX)], quotes_are_syntax=True)


def read_secret_files(folder: Path) -> list[Text]:
    """The settings in files that are named like them.

    Raises SettingsError when the folder cannot be read, or a file, or a file is empty.
    """
    try:
        files = sorted(file for file in folder.iterdir() if file.name.upper().startswith(PREFIX))
    except OSError as error:
        raise SettingsError(
            f"{PREFIX}SECRETS_DIR: {folder} cannot be read ({error.strerror}): let the service's user read it"
        ) from None
    found = [Text(file.name, _read(file).strip(), f"{file}") for file in files]
    for text in found:
        if not text.value:
            raise SettingsError(
                f"{text.setting}: {text.place} is empty: write the value into it, or remove it"
            )
    return _checked(found)


def _read(path: Path, *, may_wait: bool = False) -> str:
    """The text of a small file. may_wait: whether it may be a pipe, which somebody else fills."""
    try:
        if not (path.is_file() or (may_wait and path.is_fifo())):
            raise SettingsError(f"{path} is no file: replace it by one that holds text, or remove it")
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read ({error.strerror}): let the service's user read it, or remove it"
        ) from None
    if len(content) > _LARGEST:
        raise SettingsError(
            f"{path} is larger than {_LARGEST} bytes, which no setting is: correct or remove it"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise SettingsError(f"{path} is not UTF-8 text: save it as UTF-8 (PowerShell's > writes UTF-16)")
    return text


def _check_line(path: Path, binding: Binding, known: set[str]) -> None:
    """known: the names that a reference may have so far; the line's own is added."""
    text = binding.original.string
    blank_lines = text[: len(text) - len(text.lstrip())].count(
        "\n"
    )  # they stand before it, and count as its own
    place = f"{path}, line {binding.original.line + blank_lines}"
    if binding.error or ((binding.key or "").upper().startswith(PREFIX) and binding.value is None):
        raise SettingsError(f"{place} cannot be read: write NAME=value, with quotes around what has blanks")
    for reference in _REFERENCE.finditer(binding.value or ""):
        if (binding.key or "").upper().startswith(PREFIX) and reference["name"] not in known:
            raise SettingsError(
                f"{place}: {binding.key} refers to ${{{reference['name']}}}, which is not set: set it, or write the value itself"
            )
    if binding.key:
        known.add(binding.key)


def _checked(found: list[Text], *, quotes_are_syntax: bool = False) -> list[Text]:
    spelt: dict[str, Text] = {}
    for text in (text for text in found if text.value):
        other = spelt.setdefault(text.setting, text)
        if other.value != text.value:
            raise SettingsError(f"{other.name} and {text.name} are one setting with two values: remove one")
        for fault in _faults(text.value, quotes_are_syntax=quotes_are_syntax):
            raise SettingsError(f"{text.setting}{told_place(text)}: {fault}")
    return found


def _faults(value: str, *, quotes_are_syntax: bool) -> Iterator[str]:
    if any(ord(character) <= _LAST_CONTROL or character == "\x7f" for character in value):
        yield "it holds a line break or another control character: write it on one line"
    if not value.isascii() and not _is_text(value):
        yield "it is not UTF-8 text: write it in UTF-8"
    if not quotes_are_syntax and len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES:
        yield "the quotes around it would belong to the value: leave them out"


def _is_text(value: str) -> bool:
    """Python reads bytes of the environment that are no text as halves of pairs."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def told_place(text: Text | None) -> str:
    return f" (in {text.place})" if text is not None and text.place else ""
