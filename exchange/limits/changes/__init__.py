"""Changes of net debit caps that take two persons: raising one, or taking it away."""
