"""WWW-Authenticate values, and the characters the RFCs allow in texts that leave us in them."""

import re

REALM = "RoviTracker"
BASIC = f'Basic realm="{REALM}"'

# RFC 6749 section 5.2 and RFC 6750 section 3: printable ASCII without the quote and the backslash. Nothing of it
# can end a quoted string or a header line, whatever a caller put into the text.
_OUTSIDE = re.compile(r"[^\x20-\x21\x23-\x5B\x5D-\x7E]")


def printable(text: str) -> str:
    """The text with every character the RFCs forbid in an error description replaced by a question mark."""
    return _OUTSIDE.sub("?", text)


def challenge(
    realm: str,
    *,
    error: str | None = None,
    description: str | None = None,
    scope: str | None = None,
    resource_metadata: str | None = None,
) -> str:
    """Value of a Bearer challenge (RFC 6750 section 3, RFC 9728 section 5.1), each attribute at most once."""
    attributes = {
        "realm": realm,
        "error": error,
        "error_description": description,
        "scope": scope,
        "resource_metadata": resource_metadata,
    }
    return "Bearer " + ", ".join(
        f'{name}="{printable(value)}"' for name, value in attributes.items() if value
    )
