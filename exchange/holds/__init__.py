"""Two-phase use: points reserved, then captured, given back, or lapsed (预占, 确认, 释放)."""
