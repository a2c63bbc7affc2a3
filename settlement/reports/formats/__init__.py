"""Formats of reports: a function from a report to bytes each, listed in the registry."""
