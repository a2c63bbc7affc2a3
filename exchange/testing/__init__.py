"""What partners' own tests stand on: a sandbox with a coalition in it, and a pytest plugin that hands it out.

docs/sandbox.md shows it.
"""
