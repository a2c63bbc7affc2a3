"""One currency turned into another (互换)."""
