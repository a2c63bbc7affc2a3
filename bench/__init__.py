"""Measurements anyone can rerun: the exchange beside its yardsticks, on one machine, in one run."""
