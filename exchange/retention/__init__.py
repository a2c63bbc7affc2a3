"""Keeping the ledger's size: partitions of transfers by time, made ahead, and let go of when nothing needs them."""
