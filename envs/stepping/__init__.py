"""Stepping of a batch of environments, on the host or on the device."""
