"""The expected errors of AEMP: a request refused with a status, a document that cannot be read."""

from collections.abc import Mapping


class AempError(Exception):
    """A request refused. `status` is HTTP's, `code` is for programs, `message` is shown to the caller."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers: Mapping[str, str] = headers or {}


class ReadError(Exception):
    """A document refused whole: its name, the line or machine, and what is wrong there."""


class FlawError(ValueError):
    """What is wrong with one value; the reader adds the document and the machine."""
