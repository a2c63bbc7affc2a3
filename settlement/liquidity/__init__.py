"""Liquidity: what of a window can settle now with the funds at hand."""
