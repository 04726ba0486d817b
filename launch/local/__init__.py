"""Training on this machine: a learner, a replay server and actors."""
