"""How much an application was used by day, as a picture and as a file."""

import csv
import io

from starlette.requests import Request
from starlette.responses import Response

from app.aemp.address.read_kind import ReadKind
from app.storage.token.reads import select_reads_of_application
from app.storage.token.refused_requests import count_refusals_by_day
from app.web.developer.frame import address_below, application_page, owner_here
from app.web.pages.reads_picture import DAYS, picture
from app.web.paths import USAGE, USAGE_CSV
from app.web.request import NO_STORE, context_of

_KEPT_DAYS = 400


async def usage(request: Request) -> Response:
    owner = await owner_here(request, USAGE)
    if isinstance(owner, Response):
        return owner
    context, application_id = context_of(request), owner.application.client.id
    days = await select_reads_of_application(context.database, application_id, days=DAYS)
    return application_page(
        request,
        owner,
        USAGE,
        "developer/usage.html",
        reads=picture(days, context.now().date()) | {"machines": [], "more_machines": 0},
        zone=owner.person.time_zone,
        refusals=await count_refusals_by_day(context.database, application_id),
        csv_url=address_below(USAGE_CSV, application_id),
    )


async def usage_csv(request: Request) -> Response:
    """Everything that is kept, a row for each day and kind."""
    owner = await owner_here(request, USAGE)
    if isinstance(owner, Response):
        return owner
    context, application_id = context_of(request), owner.application.client.id
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("day (UTC)", "kind", "requests"))
    for each in await select_reads_of_application(context.database, application_id, days=_KEPT_DAYS):
        rows.writerow((each.day, ReadKind(each.kind).name.lower(), each.reads))
    for day, error, refusals in await count_refusals_by_day(context.database, application_id):
        rows.writerow((day, f"refused: {error}", refusals))
    headers = {**NO_STORE, "Content-Disposition": 'attachment; filename="rovitracker-usage.csv"'}
    return Response(text.getvalue(), media_type="text/csv", headers=headers)
