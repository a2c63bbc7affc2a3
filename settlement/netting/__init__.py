"""Netting: from obligations to the payments that discharge them; pure, one function per mode."""
