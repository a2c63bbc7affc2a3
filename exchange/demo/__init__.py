"""One business day of a coalition, played through the real server and settled: what `make demo` shows."""
