"""Acting: environments and the network stepped together, cut into unrolls.

Every role and runtime that acts uses this package, which is independent of
processes and runtimes.
"""
