"""Settlement as an extension of the exchange's server."""

from __future__ import annotations

from exchange.extensions import Extension

extension = Extension(register=lambda registry, api: None)
