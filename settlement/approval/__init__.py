"""Approval: what one finance person made, others check; bound to the digest of what they were shown."""
