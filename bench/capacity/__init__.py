"""docs/capacity.md: what a load would need, from the kept measurements and a queueing model that they check."""
