"""Does size cost? `make bench-growth` and `make bench-aemp` fill databases once and compare small with large."""
