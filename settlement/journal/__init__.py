"""The journal: what a settled window means in each participant's books."""
