"""Made-up machines: fleets to try things with, and the days that they report.

It may import the rules of AEMP. Begin with `fleet.py`.
"""
