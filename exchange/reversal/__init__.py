"""The mirror of an earlier transfer, whole or in part (冲正)."""
