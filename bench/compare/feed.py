"""Codes that wait in Valkey, and the requests that redeem them, written by the revision in whose folder this is run."""

import sys
from pathlib import Path
from uuid import UUID

import orjson

from bench import codes


def main() -> None:
    """Told on stdin, since arguments are for all to read."""
    if not Path(codes.__file__).is_relative_to(Path.cwd()):
        sys.exit(f"{codes.__file__} is not of {Path.cwd()}")
    asked = orjson.loads(sys.stdin.buffer.read())
    ids = UUID(asked["client_id"]), UUID(asked["customer_id"])
    application = codes.Application(ids[0], asked["client_secret"], ids[1])
    stores = codes.Stores(
        asked["database_url"], asked["redis_url"], codes.pack_for_service, has_customers=True
    )
    codes.write_exchanges(stores, [application], Path(asked["path"]), asked["count"])


if __name__ == "__main__":
    main()
