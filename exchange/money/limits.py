"""What 64 bits hold. Figures beyond are refused where they arise, never wrapped."""

from typing import Final

INT64_MAX: Final = 2**63 - 1
BASIS_POINTS: Final = 10_000
MICROS_PER_UNIT: Final = 1_000_000
