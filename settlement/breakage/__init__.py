"""Breakage: what part of issued points will never be used, and when that becomes income. An estimate with versions."""
