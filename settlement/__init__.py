"""Settlement: closes windows, nets the money that moving points left owing, and gives finance its files."""
