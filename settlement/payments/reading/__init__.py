"""What banks send back, read into plain lines: which payment, what became of it, how much, when, on which account."""
