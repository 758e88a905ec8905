"""The telemetry route takes readings in batches, from devices and gateways of RoviTracker."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import orjson
from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.aemp.model.errors import AempError, FlawError
from app.aemp.model.times import format_time
from app.aemp.read.report import Rejection, Report, read_lines, read_reports
from app.flows.fleet.write_telemetry import Telemetry, write_telemetry
from app.web.answer import Answer, as_response
from app.web.api.bearer import Gateway, gateway
from app.web.request import context_of, read_body

WRITE = "telemetry:write"

# Read and written within a fraction of a second; a gateway with more sends more batches.
MOST_BATCH_BYTES = 1024 * 1024

writer = gateway(WRITE)

Writer = Annotated[Gateway, Depends(writer)]

READERS: dict[str, Callable[[bytes], Iterator[Report]]] = {
    "application/x-ndjson": read_lines,
    "application/jsonl": read_lines,
    "application/json": read_reports,
    "application/iso15143-snapshot+json": read_reports,
    "application/xml": read_reports,
    "text/xml": read_reports,
}


async def write(request: Request, caller: Writer) -> Response:
    return as_response(await answer_telemetry(request, caller))


async def answer_telemetry(request: Request, caller: Gateway) -> Answer:
    """POST /api/v2/telemetry: JSON lines, or ISO 15143-3 documents; sent twice it changes nothing."""
    read = _reader(request)
    body = await read_body(request.receive, most=MOST_BATCH_BYTES)
    try:
        written = await write_telemetry(context_of(request), caller.customer_id, read(body))
    except FlawError as flaw:
        raise AempError(400, "malformed_document", f"The body cannot be read: {flaw}.") from None
    return Answer(200, orjson.dumps(answer_of(written)))


def _reader(request: Request) -> Callable[[bytes], Iterator[Report]]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if media_type not in READERS or encoding != "identity":
        raise AempError(
            415, "unsupported_media_type", f"Send one of {', '.join(READERS)}, without a Content-Encoding."
        )
    return READERS[media_type]


def answer_of(written: Telemetry) -> dict[str, Any]:
    return {
        "accepted": written.accepted,
        "stored": written.stored,
        "rejected": [_rejected(rejection) for rejection in written.rejections],
    }


def _rejected(rejection: Rejection) -> dict[str, Any]:
    named = {
        "line": rejection.place.line,
        "machine": rejection.place.machine,
        "reading": rejection.element,
        "datetime": rejection.at and format_time(rejection.at),
        "reason": rejection.reason,
    }
    return {name: value for name, value in named.items() if value is not None}
