"""Refusals on demand, for partners' tests: certain amounts are refused as if the reason were there.

Loaded only by a sandbox that was asked to (`Settings.forced_refusals`): no other server has this in memory.
"""
