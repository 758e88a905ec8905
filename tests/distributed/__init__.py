"""Citus, run from the programs in the folder that CITUS_BIN names, and what the service does on it."""
