"""The yardstick beside every unary figure: a call of the same sizes that does nothing."""
