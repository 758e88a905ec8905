"""The service with one route more, whose body is always the same: what a bearer-guarded route costs beside its guard.

With BENCH_CALLER (ids of application, customer and token) the guard is a constant, on this route and on the AEMP ones.
"""

import os
from typing import get_args
from uuid import UUID

from fastapi import FastAPI
from starlette.responses import Response

from app.flows.token.check_token import AccessToken
from app.logs import configure_logs
from app.main import create_app
from app.settings import load_settings
from app.storage.token.tokens import StoredToken
from app.web.api import aemp
from app.web.api.bearer import Caller

PATH = "/bench/guarded"


def app() -> FastAPI:
    settings = load_settings()
    configure_logs(settings.log_level)
    application = create_app(settings)
    application.add_api_route(PATH, _guarded, methods=["GET"])
    if "BENCH_CALLER" in os.environ:
        caller = _caller_of(*(UUID(each) for each in os.environ["BENCH_CALLER"].split(",")))

        async def constant() -> Caller:
            return caller

        application.dependency_overrides[get_args(aemp.Reader)[1].dependency] = constant
    return application


def _caller_of(application_id: UUID, customer_id: UUID, token_id: UUID) -> Caller:
    row = StoredToken(
        id=token_id,
        digest=b"",
        grant_id=None,
        application_id=application_id,
        customer_id=customer_id,
        scope="aemp:read",
        audience="",
        issued_at=0,
        used_at=None,
        expires_at=0,
        left_s=0.0,
        renewable=False,
        active=True,
        account=None,
        member_id=None,
        former_client_id=None,
        share=None,
        history_from=None,
        connection_version=1,
        detailed=False,
        test=False,
    )
    return Caller(customer_id, AccessToken(row))


async def _guarded(caller: aemp.Reader) -> Response:
    return Response(str(caller.customer_id).encode(), media_type="text/plain")
