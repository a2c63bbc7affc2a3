"""Notices that points are about to end: 30, 7 and 1 days before, as events."""
