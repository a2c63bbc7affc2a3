"""Evidence packs: everything a window's settlement is made of, in plain files that can be computed again without us."""
