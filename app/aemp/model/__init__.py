"""The definitions of a machine, an element, a series and a unit.

It imports no other sub-room. Begin with `elements.py`: readers, renderings and columns all follow from its table.
"""
