"""Learning from privileged information, which the agent is not shown.

The simulator or a script provides it. It is used only in training, with a
weight in `LearnerConfig.privileged` for each part. Acting never sees any of it.
"""
