"""Memberships that end, and their points with them (作废)."""
