"""A whole exchange for a while: a fresh database, the real server as a process of its own, and an operator's key.

What the scenario player and the demo stand on. Nothing that exists is touched, nothing is left behind.
"""

from __future__ import annotations

from exchange.sandbox.foreground import run
from exchange.sandbox.processes import SandboxFailed
from exchange.sandbox.start import Sandbox, sandbox

__all__ = ["Sandbox", "SandboxFailed", "run", "sandbox"]
