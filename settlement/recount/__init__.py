"""The recount: a run's totals counted again from the transfers themselves, before anybody approves it."""
