"""Points that end unused (过期), and what they leave."""
