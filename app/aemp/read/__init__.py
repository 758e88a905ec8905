"""Documents that come in: AEMP and ISO 15143-3 as XML and JSON, series, and RoviTracker's assets.

It may import `model/` and `history/`. Begin with `read.py`.
"""
