"""`python -m settlement`: what finance people type."""

from __future__ import annotations

from settlement.cli import app

if __name__ == "__main__":
    app()
