"""The agent: network, memories, learner, acting, replay and checkpoints.

`learner` and `acting` are the two ends of it; `types` has what flows between
them. Nothing of the rest of Adaland is imported here.
"""
