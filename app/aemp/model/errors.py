"""The expected errors of AEMP: a request refused with a status, a document that cannot be read."""

from collections.abc import Mapping

from app.refused import RefusedError


class AempError(RefusedError):
    """A request refused. `status` is HTTP's, `code` is for programs, `what` is shown to the caller."""

    def __init__(
        self, status: int, code: str, what: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(what, code=code, status=status, headers=tuple((headers or {}).items()))

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.what}"


class ReadError(RefusedError):
    """A document refused whole: its name, the line or machine, and what is wrong there."""

    code = "unreadable_document"


class FlawError(ValueError):
    """One value is wrong; the reader adds the document and the machine."""
