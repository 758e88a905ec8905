"""The rules of AEMP 1.2 and ISO 15143-3: machines, their addresses, and how they are read and written.

Everything here is pure, and it imports no other room. Begin with `model/elements.py`, the table of all elements.
"""
