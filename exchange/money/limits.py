"""What 64 bits hold. Figures beyond are refused where they arise, never wrapped."""

INT64_MAX = 2**63 - 1
BASIS_POINTS = 10_000
MICROS_PER_UNIT = 1_000_000
