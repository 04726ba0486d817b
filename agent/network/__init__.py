"""The network: encoder, recall, heads and model around a memory.

`network.make_network` returns its pure functions; the memories are in
`adaland.agent.memory`.
"""
