"""The history of machines, and how late, restated and shifted readings settle.

It may import `model/`. Begin with `settle.py`.
"""
