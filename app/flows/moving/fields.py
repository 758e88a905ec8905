"""One line of an import: a JSON object whose fields are read once each, or refused by name."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from hmac import compare_digest
from typing import Any

import orjson

from app.flows.account.sign_in import normal_email
from app.flows.bounds import LONGEST_LINE
from app.oauth.token_string import secret_digest
from app.refused import RefusedError

_SHA_256 = re.compile(r"[0-9A-Fa-f]{64}")
_OF_NOTHING = secret_digest("")
_SHOWN = 40
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class LineError(RefusedError):
    """A line of an import that is not kept, and why."""

    code = "refused_line"


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a line. A field that is null counts as left out, since exports write all of their columns."""

    values: dict[str, Any]

    @classmethod
    def read(cls, raw: bytes, known: Collection[str]) -> "Fields":
        """Raises LineError when the line is no JSON object, or has a field that is not known."""
        if len(raw) > LONGEST_LINE:
            raise LineError(f"a line has at most {LONGEST_LINE:,} bytes")
        try:
            values = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise LineError(f"it is no JSON object in UTF-8: {error}") from None
        if not isinstance(values, dict):
            raise LineError("it is no JSON object")
        for name in values:
            if name not in known:
                nearest = get_close_matches(name, known, n=1)
                hint = f"did you mean {nearest[0]}?" if nearest else f"there are: {', '.join(sorted(known))}"
                raise LineError(f"{name[:_SHOWN]!r} is no field; {hint}")
        return cls({name: value for name, value in values.items() if value is not None})

    def text(self, name: str) -> str | None:
        """Raises LineError when it is none, or empty."""
        value = self.values.get(name)
        if value is None or (isinstance(value, str) and value and "\0" not in value):
            return value
        raise LineError(f"{name}: a text that is not empty")

    def required(self, name: str) -> str:
        """The same. Raises LineError when it is missing, too."""
        value = self.text(name)
        if value is None:
            raise LineError(f"{name} is missing")
        return value

    def flag(self, name: str) -> bool:
        """Raises LineError when it is neither true nor false."""
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            raise LineError(f"{name}: true or false")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Raises LineError when it is no list of texts."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(
            isinstance(each, str) and "\0" not in each for each in value
        ):
            raise LineError(f"{name}: a list of texts")
        return tuple(value)

    def digest(self, name: str) -> bytes | None:
        """A SHA-256 in hexadecimal digits.

        Raises LineError when it is none, or that of an empty text: something went wrong where it was made.
        """
        text = self.text(name)
        if text is None:
            return None
        if not _SHA_256.fullmatch(text):
            raise LineError(
                f"{name}: 64 hexadecimal digits of a SHA-256, not {len(text)} characters of something else"
            )
        digest = bytes.fromhex(text)
        if compare_digest(digest, _OF_NOTHING):
            raise LineError(f"{name}: the digest of an empty text")
        return digest

    def time(self, name: str) -> datetime | None:
        """Raises LineError when it is no time, has no offset, or is before 1970."""
        text = self.text(name)
        if text is None:
            return None
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            time = None
        if time is None or time.tzinfo is None or time < _BEGINNING:
            raise LineError(
                f"{name}: {text[:_SHOWN]!r} is no time since 1970 with its offset, such as 2024-05-04T12:00:00Z"
            )
        return time.astimezone(UTC)


def customer_of(fields: Fields) -> tuple[str | None, str | None]:
    """How a line names a customer: by the e-mail address of a person, or by the former system's id.

    Raises LineError when it does both.
    """
    email, former_id = fields.text("customer_email"), fields.text("customer_former_id")
    if email is not None and former_id is not None:
        raise LineError("customer_email and customer_former_id: one of them names the customer")
    return normal_email(email) if email else None, former_id
