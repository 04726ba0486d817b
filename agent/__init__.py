"""The agent: network, memories, learner, acting, replay and checkpoints.

`learner` and `acting` are its two ends; `types` has the values that flow
between them. Nothing from the rest of Adaland is imported here.
"""
