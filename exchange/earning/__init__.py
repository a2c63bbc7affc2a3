"""Points awarded (发放)."""
