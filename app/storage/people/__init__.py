"""Customers, operators, applications with their secrets and keys, and the audit trail.

It may import `postgres/`. Begin with `applications.py`.
"""
