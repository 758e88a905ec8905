"""The machines of test customers go on reporting while somebody reads them."""

import asyncio

import structlog

from app.context import Context
from app.flows.developer.test_customer import report_once
from app.storage.errors import PassingError

EVERY_S = 60
_MOST_AT_ONCE = 100  # customers in one round of one process, a tenth of a second's work each

_log = structlog.get_logger()


async def keep_reporting_for_ever(context: Context) -> None:
    """Look once a minute in every process, until cancelled; each customer is claimed by one."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            reported = 0
            while reported < _MOST_AT_ONCE and await report_once(context):
                reported += 1
            if reported:
                _log.info("test customers reported", customers=reported)
        except PassingError as passing:
            _log.warning("test customers report later", detail=str(passing))
        except Exception:  # noqa: BLE001  # nobody awaits this task, and in a minute it may go well
            _log.exception("letting test customers report failed")
