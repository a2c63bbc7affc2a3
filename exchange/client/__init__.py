"""A client of the exchange's own wire, for programs that stand outside the server: the scenario player and the demo."""

from __future__ import annotations

import os

# Our children only ever run another program, so gRPC need not get ready for a fork; it would warn of each one. It reads
# this when it is first imported, which happens in this package's modules.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
