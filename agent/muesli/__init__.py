"""Muesli (arXiv 2104.06159): targets, losses and model look-ahead.

Everything here is a pure function of arrays; `adaland.agent.learner` combines
them into one update.
"""
