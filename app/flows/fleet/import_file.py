"""Import a file of machines or of a series: keep what is good, and name each reading that is refused."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from app.aemp.history.history import readings_of
from app.aemp.read.read_file import File, equipment_of
from app.aemp.read.report import Rejection
from app.context import Context
from app.flows.fleet.import_fleet import import_machines
from app.flows.fleet.write_history import keep_whole
from app.flows.fleet.write_telemetry import write_telemetry


@dataclass(frozen=True, slots=True)
class FileImported:
    """What a file brought.

    machines: that are kept, or whose series it is. readings: that are kept. stored: rows that told something new.
    """

    machines: int = 0
    added: int = 0
    updated: int = 0
    repeated: int = 0
    readings: int = 0
    stored: int = 0
    rejections: tuple[Rejection, ...] = ()

    @property
    def keeps_something(self) -> bool:
        return bool(self.added or self.updated or self.readings)


async def import_file(
    context: Context,
    customer_id: UUID,
    file: File,
    progress: Callable[[int], None] = lambda _: None,
    *,
    whole: bool = False,
) -> FileImported:
    """Import a file in one transaction.

    progress: told how many machines were written since its last call. whole: whether a refusal keeps back everything.
    Raises NotWholeError when something is refused, and it was to be kept whole.
    """
    if whole:
        keep_whole(file.rejections)
    if file.is_series:
        return await _import_series(context, customer_id, file, whole=whole)
    made = [(report.place, machine) for report in file.reports if (machine := equipment_of(report))]
    machines = [machine for _, machine in made]
    imported = await import_machines(
        context, customer_id, machines, progress, places=[place for place, _ in made], whole=whole
    )
    return FileImported(
        machines=len(machines),
        added=imported.added,
        updated=imported.updated,
        repeated=imported.repeated,
        readings=sum(1 for each in machines for _ in readings_of(each)) - len(imported.refused),
        stored=imported.stored,
        rejections=(*file.rejections, *imported.refused),
    )


async def _import_series(context: Context, customer_id: UUID, file: File, *, whole: bool) -> FileImported:
    reports = [replace(report, rejections=()) for report in file.reports]
    written = await write_telemetry(context, customer_id, reports, whole=whole)
    return FileImported(
        machines=len({report.name for report in reports}),
        readings=written.accepted,
        stored=written.stored,
        rejections=(*file.rejections, *written.rejections),
    )
