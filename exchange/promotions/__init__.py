"""Promotions: bonus points beside what is awarded or converted, paid for by sponsors, up to caps and budgets."""
