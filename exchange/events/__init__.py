"""What happened, in one order, as a stream that can be resumed."""
