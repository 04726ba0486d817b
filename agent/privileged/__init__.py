"""Learning from what the simulator knows and the agent is not told.

Used in training alone, each part by a weight in `LearnerConfig.privileged`.
Acting never sees any of it.
"""
