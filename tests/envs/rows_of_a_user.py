"""Rows that a user adds to the tables of predicates and shapes."""

from adaland.envs import tables

PREDICATES = (
  tables.Predicate(
    name="above",
    id=10,
    text="a is higher than b by 0.3 m, within 0.5 m across the ground",
    test=lambda nodes: (
      (nodes.offset[..., 2] < -0.3)
      & ((nodes.offset[..., :2] ** 2).sum(axis=-1) < 0.5**2)
    ),
    symmetric="none",
    weight=2,
    means="touching",
  ),
)
SHAPES = (
  tables.box("slab", id=18, x=0.3, y=0.3, z=0.1),
  # The terrain has ramps too.
  tables.pyramid("ramp", id=19, half_base=0.3, height=0.4),
)
