"""Funds: what participants leave with the clearing house, apart from the operator's own, in a double-entry book."""
