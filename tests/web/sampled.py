"""An address that the router takes for one of its templates."""

import re

_SAMPLES = {
    "application": "0" * 8 + "-0000-7000-8000-" + "0" * 12,
    "request": "0" * 8 + "-0000-7000-8000-" + "1" * 12,
    "review": "0" * 8 + "-0000-7000-8000-" + "0" * 12,
    "fleet": "Fleet",
    "address": "1",
    "digest": "00" * 32,
    "secret": "x" * 43,
}


def sample_of(template: str) -> str:
    """The template with something in the place of its parameters."""
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: _SAMPLES[found[1]], template)
