"""The status board: every window that is not finished, and who acts next."""
