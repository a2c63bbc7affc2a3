"""How a named tuple of which every movement makes some is made: past its own constructor, in a third of the time.

`made(_LEG, (fields, in, order))`, where `_LEG: Final[Any] = PointsLeg`: compiled, what is not final is looked up by
name wherever it is used, classes of named tuples too. It belongs into a function that names the fields once more, so
that they stay checked.
"""

from __future__ import annotations

from typing import Any, Final

made: Final[Any] = tuple.__new__
