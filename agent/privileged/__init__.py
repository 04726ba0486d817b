"""Learning from privileged information, which the simulator has.

It is used only in training, with a weight in `LearnerConfig.privileged` for
each part. Acting never sees any of it.
"""
