"""Replay behind one protocol: Reverb between processes, or in memory."""
