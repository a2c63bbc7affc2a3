"""A client of the exchange's own wire, for programs that stand outside the server: the scenario player and the demo."""
