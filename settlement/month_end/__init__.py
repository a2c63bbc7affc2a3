"""Month-end: the steps of a window one after another, each safe to repeat, stopping where somebody else acts."""
