"""Rates proposed together, until somebody else approves them."""
