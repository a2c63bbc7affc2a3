"""Formats of payment files: a function from an order to bytes each, listed in the registry."""
