"""The schema and its upkeep: migrations, partitions, retention, and what `doctor` asks.

It may import `postgres/` and `valkey/`. Begin with `migrations.py`.
"""
