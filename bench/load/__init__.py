"""The load generator, and what every measurement does with it: rounds, their cost, and the checks of what was answered."""
