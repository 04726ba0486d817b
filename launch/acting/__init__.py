"""Acting: environments and the network stepped together, cut into unrolls.

Used by every role and runtime that plays; knows neither processes nor engines.
"""
