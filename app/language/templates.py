"""Templates are compiled once, and filled in in one language and one time zone at a time."""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    pass_eval_context,
    select_autoescape,
)
from jinja2.nodes import EvalContext
from markupsafe import Markup

from app.language.kept_templates import KeptTemplates
from app.language.languages import ENGLISH, Language
from app.sentence import Sentence

_HERE = Path(__file__)

# The language of the template that is being filled in, and the zone of its moments. Its macros learn them from nowhere else.
_speaking: ContextVar[Language] = ContextVar("speaking", default=ENGLISH)
_zone: ContextVar[tzinfo] = ContextVar("zone", default=UTC)


class Templates:
    """The templates of a folder. A Sentence is translated wherever one is shown; a text that is no Sentence never is."""

    def __init__(self, folder: Path) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=-1,
            auto_reload=False,  # else every page asks the disk whether each of its templates changed
            bytecode_cache=KeptTemplates(folder, made_by=_HERE.read_text("utf-8")),
            extensions=["jinja2.ext.i18n"],
            finalize=_say,
        )
        self.environment.policies["ext.i18n.trimmed"] = True
        self.environment.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension's own
        self.environment.globals |= {"gettext": _gettext, "ngettext": _ngettext}
        self.environment.filters |= {
            "as_sentence": _as_sentence,
            "number": _number,
            "day": _day,
            "moment": _moment,
            "utc_day": _utc_day,
            "isolated": _isolated,
            "unlinked": _unlinked,
        }

    def compile(self) -> None:
        """Compile them all while nobody waits.

        Else the first visitor of a page blocks the loop for up to 50 ms (R-110).
        """
        for name in self.environment.list_templates():
            self.environment.get_template(name)

    def fill(self, name: str, language: Language, zone: tzinfo, /, **values: Any) -> str:
        """zone: that moments are shown in."""
        template = self.environment.get_template(name)
        return self._spoken(language, zone, lambda: template.render(language=language, **values))

    def fill_block(self, name: str, block: str, language: Language, zone: tzinfo, /, **values: Any) -> str:
        """One block of a template alone."""
        template: Template = self.environment.get_template(name)
        context = template.new_context({"language": language, **values})
        return self._spoken(language, zone, lambda: "".join(template.blocks[block](context)))

    @staticmethod
    def _spoken(language: Language, zone: tzinfo, fill: Callable[[], str]) -> str:
        language_before, zone_before = _speaking.set(language), _zone.set(zone)
        try:
            return fill()
        finally:
            _speaking.reset(language_before)
            _zone.reset(zone_before)


def _say(value: Any) -> Any:
    """Numbers stay as they are, since they stand in attributes too."""
    return _speaking.get().value(value) if isinstance(value, Sentence | datetime) else value


# What {% trans %} and _() call. The extension's own functions would put in a Sentence as its English text.
@pass_eval_context
def _gettext(context: EvalContext, pattern: str, /, **values: Any) -> str:
    return _filled(context, _speaking.get().words.gettext(pattern), values)


@pass_eval_context
def _ngettext(context: EvalContext, one: str, many: str, count: int, /, **values: Any) -> str:
    return _filled(context, _speaking.get().words.ngettext(one, many, count), values)


def _filled(context: EvalContext, pattern: str, values: dict[str, Any]) -> str:
    said = _speaking.get().said(values)
    if not context.autoescape:
        return pattern % said
    return Markup(pattern) % said if said else Markup(pattern % said)  # noqa: S704  # the pattern is ours, and it escapes values


def _unlinked(name: str) -> str:
    """Keep mail programs from making a link of a name, which a stranger may have chosen.

    The word joiners are not seen. They are where an address would have to go on without a break.
    """
    for sign in (".", ":", "@"):
        name = name.replace(sign, f"{sign}\u2060")
    return name


@pass_eval_context
def _isolated(context: EvalContext, name: str) -> str:
    """A name of somebody's, whose writing direction cannot reorder our words."""
    return Markup("<bdi>{}</bdi>").format(name) if context.autoescape else f"\u2068{name}\u2069"


def _as_sentence(words: str) -> str:
    """Words that rules and flows say as a program or a terminal quotes them, as a sentence."""
    said = str(_say(words))
    ended = said if said.endswith((".", "!", "?")) or not said else f"{said}."
    return ended[:1].upper() + ended[1:]


def _number(number: float, digits: int = 0) -> str:
    return _speaking.get().number(number, digits)


@pass_eval_context
def _day(context: EvalContext, moment: datetime) -> str:
    return _timed(context, moment, _speaking.get().day(moment, _zone.get()))


@pass_eval_context
def _moment(context: EvalContext, moment: datetime) -> str:
    return _timed(context, moment, _speaking.get().moment(moment, _zone.get()))


@pass_eval_context
def _utc_day(context: EvalContext, day: date) -> str:
    """A day that something was counted by in UTC, whatever the zone of its reader is."""
    shown = _speaking.get().day(datetime.combine(day, time(), UTC), UTC)
    return (
        Markup('<time datetime="{}">{}</time>').format(day.isoformat(), shown)
        if context.autoescape
        else shown
    )


def _timed(context: EvalContext, moment: datetime, shown: str) -> str:
    """For programs in UTC, whatever the zone is that a person reads it in."""
    if not context.autoescape:
        return shown
    return Markup('<time datetime="{:%Y-%m-%dT%H:%M:%SZ}">{}</time>').format(moment.astimezone(UTC), shown)
