"""Limits: how much a merchant may come to owe before it pays."""
