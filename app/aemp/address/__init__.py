"""The address of a document: its forms, pages and links, ranges of dates, and what a client accepts.

It may import `model/`. Begin with `addresses.py`.
"""
