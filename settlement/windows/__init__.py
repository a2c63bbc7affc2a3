"""Settlement windows: listing, reading and cutting off."""
