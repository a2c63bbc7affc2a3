"""Points given or taken to put something right, by two persons (调整)."""
