"""Currencies: sets of rates between settlement currencies, and converting by item or by position. No point is moved."""
