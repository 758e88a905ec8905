"""The rules of AEMP 1.2 and ISO 15143-3: what a machine is, where it is found, how it is read and written.

Everything here is pure, and it imports no other room. Begin with `model/elements.py`, the table of all elements.
"""
