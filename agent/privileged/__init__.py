"""Learning from what the simulator knows and the agent is not told.

Used in training alone, each part by its own weight in `PrivilegedConfig`.
Acting never sees any of it.
"""
