"""Codes in Valkey and the requests that redeem them, as the revision on PYTHONPATH writes them."""

import os
import sys
from pathlib import Path
from uuid import UUID

import orjson

try:
    from bench.ground import codes
except ModuleNotFoundError:  # a revision from before the benchmarks had rooms
    from bench import codes  # type: ignore[attr-defined, no-redef]


def main() -> None:
    """Read from stdin what is wanted, since arguments are for all to read."""
    own = Path(os.environ["PYTHONPATH"])
    if not Path(codes.__file__).resolve().is_relative_to(own.resolve()):
        sys.exit(f"{codes.__file__} is not of {own}")
    asked = orjson.loads(sys.stdin.buffer.read())
    ids = UUID(asked["client_id"]), UUID(asked["customer_id"])
    application = codes.Application(ids[0], asked["client_secret"], ids[1])
    stores = codes.Stores(
        asked["database_url"], asked["redis_url"], codes.pack_for_service, has_customers=True
    )
    codes.write_exchanges(stores, [application], Path(asked["path"]), asked["count"])


if __name__ == "__main__":
    main()
