"""Disputes of what transfers left owing, and adjustments of what windows settle."""
