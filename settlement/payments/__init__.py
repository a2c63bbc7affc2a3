"""Payments: the legs of an approved run, the files that instruct banks, and what banks answer."""
