"""Where participants are paid: kept apart from the directory, set by one person and confirmed by another."""
