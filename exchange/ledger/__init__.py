"""The deep module: accounts, lots, immutable transfers, windows and the batch that moves them."""
