"""A run: one netting of one closed window, a pure function of the window and the configuration."""
