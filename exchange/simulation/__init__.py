"""Past days played again with other rates, prices or promotions, in memory (推演)."""
