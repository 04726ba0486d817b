"""Evaluation: trained agents, policies, rollouts, scores, reports, films."""
