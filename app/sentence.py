"""Words for people are English to programs, and keep their values apart, so that a page can translate them."""

from typing import Self


class Sentence(str):
    """Words that a page or a mail may show. It is a str, whose English text programs, terminals and logs get.

    pattern: what a catalogue translates, with places such as %(name)s. many: the same for a count other than one.
    values: what stands in the places. A Sentence is translated with it, and a number gets its separators; a number
    that is to stay as it is written comes as text.
    """

    __slots__ = ("many", "pattern", "values")

    pattern: str
    many: str
    values: dict[str, str | int]

    def __new__(cls, pattern: str, /, **values: str | int) -> Self:
        return cls._of(pattern, pattern, "", values)

    @classmethod
    def _of(cls, chosen: str, pattern: str, many: str, values: dict[str, str | int]) -> Self:
        english = {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()}
        sentence = super().__new__(cls, chosen % english if values else chosen)
        sentence.pattern, sentence.many, sentence.values = pattern, many, values
        return sentence


def counted(one: str, many: str, count: int) -> Sentence:
    """Words for a number of things; `many` has the place %(count)s, and `one` may have it."""
    return Sentence._of(one if count == 1 else many, one, many, {"count": count})  # noqa: SLF001  # its other way in


def quoted(text: str, meaning: str) -> Sentence:
    """English words of a library, which no catalogue has; other languages say what they come to."""
    return Sentence._of(text, meaning, "", {})  # noqa: SLF001  # its other way in
