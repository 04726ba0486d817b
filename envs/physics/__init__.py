"""Physics back ends behind the interface of `base`: `cpu` and `gpu`.

Both simulate the same worlds, which `mjcf`, `parts` and `terrain` describe, and
`models` and `slots` change without recompilation.
"""
