"""Proposals: what holds for all of settlement until it is changed, and every change under four eyes."""
