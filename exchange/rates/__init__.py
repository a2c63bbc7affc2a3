"""Exact ratios between currencies, effective-dated."""
