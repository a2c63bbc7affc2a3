"""Whole points, micro-units of money, exact ratios, and the few ways they are rounded. Knows no database, wire or clock."""
