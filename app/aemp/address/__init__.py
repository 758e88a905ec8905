"""Where a document is: the forms of an address, pages and their links, ranges of dates, and what a client accepts.

It may import `model/`. Begin with `addresses.py`.
"""
