"""A refusal at the edge leaves one line in the log with the address, and a count."""

import logging
from datetime import UTC, datetime

from app.door.framing import Refusal
from app.logs import REQUESTS
from app.metrics import REFUSED


def note_refusal(client: tuple[str, int] | None, refusal: Refusal) -> None:
    """There is no request to speak of: method, path and id are not known, or not to be trusted."""
    REFUSED.labels(str(refusal.status)).inc()
    if REQUESTS.takes(logging.INFO):
        REQUESTS.write(
            {
                "event": "connection refused",
                "client": client[0] if client else None,
                "status": refusal.status,
                "detail": refusal.reason,
                "level": "info",
                "timestamp": datetime.now(UTC),
            }
        )
