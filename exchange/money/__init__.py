"""Micro-units of money, 64-bit limits, and the few ways a figure is rounded. Knows no database, wire or clock."""
