"""Files of fleets or series: what can be kept, and what is wrong with the rest."""

from dataclasses import dataclass
from typing import Any

from app.aemp.model.bounds import LARGEST_DOCUMENT
from app.aemp.model.elements import ELEMENTS
from app.aemp.model.errors import FlawError, ReadError
from app.aemp.model.values import Equipment
from app.aemp.read.read import parse
from app.aemp.read.read_series import pages_of
from app.aemp.read.report import NOT_KEPT, Rejection, Report, most_rejections, read_all, reports_of


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was read.

    is_series: it brings readings of machines that are known, and no machine of its own.
    reports: of machines, or of the pages of a series. rejections: of all that cannot be read.
    ignored: names of the elements that nobody keeps, such as a provider's extensions.
    """

    name: str
    is_series: bool
    reports: tuple[Report, ...]
    rejections: tuple[Rejection, ...]
    ignored: tuple[str, ...]


def read_file(
    data: bytes, name: str, machine: str | None = None, *, max_bytes: int = LARGEST_DOCUMENT
) -> File:
    """Read a fleet, a machine or a series of AEMP 1.2 or ISO 15143-3, or assets of the Rovi API.

    name: of the file, for errors. machine: identifies the machine of a series; None takes the one that the series names.
    Raises ReadError when it is too large, is none of these, or is a series of an unnamed machine.
    """
    if len(data) > max_bytes:
        raise ReadError(f"{name}: larger than {max_bytes} bytes")
    try:
        document = parse(data)
        is_series = bool(pages_of(document))
        reports = read_all(reports_of(document, machine, len(data)), most_rejections(len(data)))
    except FlawError as flaw:
        raise ReadError(f"{name}: {flaw}") from None
    if is_series and any(report.name is None for report in reports):
        raise ReadError(f"{name}: it does not say which machine it is of", code="nameless_series")
    wrong = [rejection for report in reports for rejection in report.rejections]
    return File(
        name,
        is_series,
        tuple(reports),
        tuple(each for each in wrong if each.reason != NOT_KEPT),
        tuple(sorted({each.element for each in wrong if each.element and each.reason == NOT_KEPT})),
    )


def equipment_of(report: Report) -> Equipment | None:
    """The machine of a report, with all of its readings; None when the machine itself cannot be read."""
    if report.header is None:
        return None
    newest: dict[str, Any] = {}
    further = []
    for name, reading in report.readings:
        attribute = _SNAPSHOT.get(name)
        known = newest.get(name)
        if attribute is None or (known is not None and known.at > reading.at):
            further.append((name, reading))
            continue
        if known is not None:
            further.append((name, known))
        newest[name] = reading
    shown = {_SNAPSHOT[name]: reading for name, reading in newest.items()}
    return Equipment(header=report.header, **shown, further=tuple(further))


_SNAPSHOT = {element.name: element.attribute for element in ELEMENTS}
