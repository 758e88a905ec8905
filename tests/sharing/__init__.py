"""What connections show of fleets, beside a model in plain Python."""
