"""Physics on an accelerator by MuJoCo Warp; `physics` is the back end.

`worlds`, `loading`, `steps` and `rays` are device code; `model` and
`preparation` run on the host.
"""
