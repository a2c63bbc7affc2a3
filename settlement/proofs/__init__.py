"""Proof for merchants: a head commits to a window, and a statement is checked against it without the database."""
