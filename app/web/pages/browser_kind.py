"""The kind of a browser in plain words, from what it says of itself."""

from app.sentence import Sentence

_UNKNOWN, _ON = "Unknown browser", " on "
_LONGEST = 400  # characters that are looked at
# The first that is named counts: most browsers also name those they wish to be taken for.
_FAMILIES = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def kind_of(user_agent: str) -> str:
    """The value of a User-Agent header as "Firefox on Windows". A stranger's own words are never in it."""
    said = user_agent[:_LONGEST]
    family = next((name for mark, name in _FAMILIES if mark in said), None)
    system = next((name for mark, name in _SYSTEMS if mark in said), None)
    return f"{family or _UNKNOWN}{f'{_ON}{system}' if system else ''}"


def spoken_kind(kind: str) -> str:
    """A kind as a page says it."""
    family, _, system = kind.partition(_ON)
    browser = Sentence("Unknown browser") if family in ("", _UNKNOWN) else family
    return Sentence("%(browser)s on %(system)s", browser=browser, system=system) if system else browser
