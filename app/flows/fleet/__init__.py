"""Machines and their readings: read for the API, imported, reported, moved between customers.

It imports no other sub-room. Begin with `read_fleet.py` for the way out and `write_telemetry.py` for the way in.
"""
