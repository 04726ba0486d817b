"""Runtime of a run in one process: acting and learning on one device.

Unrolls stay in the device's memory. It needs neither Reverb nor TensorFlow.
"""
