"""The languages there are, and how each says a sentence, a day and a number."""

import gettext
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from app.language.zones import zone_of
from app.sentence import Sentence
from app.weighted import has_parts, read_members

CATALOGUES = Path(__file__).parent
_MOST_PARTS = 200  # of Accept-Language; browsers send about ten


@dataclass(frozen=True, slots=True)
class Language:
    """code: as pages, cookies and rows name it. name: as those who speak it call it. locale: of days and numbers."""

    code: str
    name: str
    locale: Locale
    words: gettext.NullTranslations

    def say(self, sentence: Sentence) -> str:
        """A sentence of ours, with its values in their places."""
        if self is ENGLISH:
            return str(sentence)
        count = sentence.values.get("count")
        if sentence.many and isinstance(count, int):
            pattern = self.words.ngettext(sentence.pattern, sentence.many, count)
        else:
            pattern = self.words.gettext(sentence.pattern)
        return pattern % self.said(sentence.values) if sentence.values else pattern

    def said(self, values: Mapping[str, object]) -> dict[str, object]:
        """Values as they stand in a sentence."""
        return {name: self.value(value) for name, value in values.items()}

    def value(self, value: object) -> object:
        """Raises TypeError for a moment, which a template shows by `day` or `moment`: it has no zone of its own."""
        if isinstance(value, datetime):
            raise TypeError("a moment is shown by the filters `day` and `moment`")
        if isinstance(value, Sentence):
            return self.say(value)
        return self.number(value) if isinstance(value, int) else value

    def number(self, number: float, digits: int = 0) -> str:
        """digits: behind the separator."""
        pattern = f"#,##0.{'0' * digits}" if digits else "#,##0"
        return format_decimal(number, pattern, locale=self.locale)

    def day(self, moment: datetime, zone: tzinfo) -> str:
        """The day that it is in the zone."""
        return format_date(moment.astimezone(zone), "long", locale=self.locale)

    def moment(self, moment: datetime, zone: tzinfo) -> str:
        """Day, time and zone."""
        local = moment.astimezone(zone)
        return f"{self.day(moment, zone)}, {local:%H:%M} {zone_of(local)}"


def _read_catalogue(code: str) -> gettext.NullTranslations:
    """Compiled here, so that nobody can forget to."""
    with (CATALOGUES / f"{code}.po").open("rb") as text:
        catalogue = read_po(text, locale=code)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


ENGLISH = Language("en", "English", Locale("en", "GB"), gettext.NullTranslations())
_SPANISH = Language("es", "Español", Locale("es", "419"), _read_catalogue("es"))
LANGUAGES: Mapping[str, Language] = {language.code: language for language in (ENGLISH, _SPANISH)}


def choose_language(*chosen: str | None, accepted: str = "") -> Language:
    """The first that was chosen, else the one that a browser wants most (RFC 9110 section 12.5.4).

    chosen: codes, the strongest choice first. accepted: the whole Accept-Language header, empty when it is absent.
    """
    own = next((LANGUAGES[code] for code in chosen if code and code in LANGUAGES), None)
    return own or _most_wanted(accepted)


def _most_wanted(accepted: str) -> Language:
    """Among equals the one that is named first; English when none of ours is wanted, or the list is too long to be meant."""
    if has_parts(accepted, _MOST_PARTS):
        return ENGLISH
    weights: dict[str, float] = {}
    for member in read_members(accepted):
        code = member.name.partition("-")[0]  # of es-MX and es, whichever is wanted more
        weights[code] = max(weights.get(code, 0.0), member.weight)
    anything = weights.pop("*", 0.0)
    wanted = [(weight, code) for code, weight in weights.items() if code in LANGUAGES]
    wanted += [(anything, code) for code in LANGUAGES if code not in weights]
    weight, code = max(wanted, key=lambda entry: entry[0])
    return LANGUAGES[code] if weight else ENGLISH
