"""Updates: from the learner's state and a batch to the next state.

Each is one pure function; `adaland.agent.learner` jits the one that the
settings select.
"""
