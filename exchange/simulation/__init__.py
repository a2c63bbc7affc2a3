"""Past days played again with other rates or prices, in memory (推演)."""
