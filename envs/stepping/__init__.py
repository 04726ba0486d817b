"""Stepping of a batch of environments: jitted stages between physics calls.

`host` steps physics on the host, `device` physics on an accelerator; `base` is
their interface to `Land`.
"""
