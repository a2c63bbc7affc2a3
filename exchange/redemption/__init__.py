"""Points given for goods (兑换)."""
