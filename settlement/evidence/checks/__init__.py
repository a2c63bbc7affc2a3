"""What is computed again from a pack alone: functions from a pack to differences, listed in the registry."""
