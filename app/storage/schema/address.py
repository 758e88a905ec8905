"""Addresses of the stores as they may be shown: everything but the secrets in them."""

import re

# A password stands between the first : of the user part and the last @; other secrets stand among the parameters.
_PASSWORD = re.compile(r"(?<=://)(?P<user>[^:/?#]*):.*", re.DOTALL)
_SECRET_PARAMETER = re.compile(r"(?P<name>[?&][^=&?]*password=)[^&]*", re.IGNORECASE)


def shown_address(url: str) -> str:
    """The address with `****` in place of a password. It hides too much rather than too little."""
    if "://" not in url:
        return "an address without a scheme"
    before, at, after = url.rpartition("@")
    masked = _PASSWORD.sub(r"\g<user>:****", before, count=1)
    return _SECRET_PARAMETER.sub(r"\g<name>****", masked + at + after)
