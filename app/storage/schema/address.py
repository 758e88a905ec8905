"""Addresses of the stores as they may be shown: everything but the secrets in them."""

import re

# Before the last @, what stands behind the first : of the user part; and secrets among the parameters.
_PASSWORD = re.compile(r"(?<=://)(?P<user>[^:/?#]*):.*", re.DOTALL)
_SECRET_PARAMETER = re.compile(r"(?P<name>[?&][^=&?]*password=)[^&]*", re.IGNORECASE)


def shown_address(url: str) -> str:
    """The address with `****` where it has a password. Rather too much is hidden than too little."""
    if "://" not in url:
        return "an address without a scheme"
    before, at, after = url.rpartition("@")
    masked = _PASSWORD.sub(r"\g<user>:****", before, count=1)
    return _SECRET_PARAMETER.sub(r"\g<name>****", masked + at + after)
