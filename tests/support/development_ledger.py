"""The ledger in a development version's database: it names twelve migrations that are no longer there."""

import asyncpg

DEVELOPMENT_FILES = (
    ("0001_roles", "75f24eee63d7afcc6ba39d187ca4ef880afdf9c8e789ee2c0cee480058a32195"),
    ("0002_people_and_applications", "21ffec36e651975b28e2cec3b74092cc6a8d88b95ce1947790d6686a13fc93fc"),
    ("0003_grants_and_tokens", "b373abdb18beccebc7267a54d49164546eec7ed614ea02c976e1392109e044d5"),
    ("0004_audit", "861cd71e0c470f64c7c9a9186c92674e16ac2411663fb5990aff5ffa5a419471"),
    ("0005_retention", "568f1e8519dffd20fd3a5c38eee1e062b83ca6678e94684b5ced5e459cc56185"),
    ("0006_fleet", "20ea2508114051d4e7390c9c3d21baeb605fc21cc6d2e8705e953384967bedb5"),
    ("0007_changes", "1d9ad31fd55d4a7cb1f5c1037de051fe5f00086ec7ab3dc992ddbd250e9791dc"),
    ("0008_bucket_of", "59b4bf4e189c958c9fb1cfd135b23e31a143af9380dec7783a536981ed245fbf"),
    ("0009_refresh", "caa950e47712e1e66ce9f3633c2f5a1a4fbc4955000d0724742868ff3d43023d"),
    ("0010_keys", "98b899f4ca8177189f63d7902263d67c42d1a168039f4733a91cd6abcb1ba0f2"),
    ("0011_series", "eee1df13e8628012fa4a32069de8b5e2904a1aad5c06b776a756d5984e3f5a87"),
    ("0012_page_map", "c16cdedac32712a85cd9956a43debbef9d8e6b80ee96a5ace8d4790eabf1b45a"),
)
LEDGER = """
CREATE TABLE schema_migration (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    digest     bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)"""
APPLIED = "INSERT INTO schema_migration (number, name, digest) VALUES ($1, $2, decode($3, 'hex'))"


async def write_development_ledger(owner_url: str, applied: int = len(DEVELOPMENT_FILES)) -> None:
    """Write the ledger into an empty database, as that version left it after so many files."""
    owner = await asyncpg.connect(owner_url)
    await owner.execute(LEDGER)
    rows = [(number, *file) for number, file in enumerate(DEVELOPMENT_FILES[:applied], start=1)]
    await owner.executemany(APPLIED, rows)
    await owner.close()
