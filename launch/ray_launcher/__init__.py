"""Training on one or many machines: each role is an actor of Ray."""
