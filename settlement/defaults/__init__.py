"""Defaults: who stands in, in which order and with how much, when a participant does not pay what a run asks of it."""
