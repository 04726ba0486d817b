"""The runtime for one process: acting and learning on one device.

Unrolls stay in the device's memory. Neither Reverb nor TensorFlow is needed.
"""
