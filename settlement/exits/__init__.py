"""Exits: a participant leaves, and it is proven that nothing is left between it and the coalition."""
