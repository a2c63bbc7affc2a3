"""The calendar: when each currency is cut off, and when what it leaves owing is paid."""
