"""A business day as data: a file says who takes part, what happens and what must come of it; a sandbox plays it.

Everything goes through the public gRPC API, nothing is written behind its back.
"""
