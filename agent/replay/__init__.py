"""Replay stores with one interface: Reverb between processes, or in memory."""
