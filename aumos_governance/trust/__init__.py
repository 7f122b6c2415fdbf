"""Trust levels of agents."""
