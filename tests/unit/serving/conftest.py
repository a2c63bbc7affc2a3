"""How properties are tried: on a busy machine a slow example is not a wrong one, so there is no deadline."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("wire", deadline=None)
settings.load_profile("wire")
