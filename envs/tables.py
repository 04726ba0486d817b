"""The predicates and shapes of the task space, one row each.

To add one, put a row into a tuple `PREDICATES` or `SHAPES` in a module of your
own, and name the module in the environment variable ADALAND_TABLES (separate
several with commas), which a run's processes inherit. Nothing else is needed:
task files, sampler, engine, physics, pictures and scripted players read the
tables.

Ids never change, because stored arrays, observations and an agent's parameters
depend on them. Added predicates have the ids from FIRST_PREDICATE to
LAST_PREDICATE, added shapes those from FIRST_SHAPE to LAST_SHAPE, without gaps:
the ids before these belong to the placeholders of hidden rules, predicates and
objects.

M: nodes (players and object slots) of a world.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from adaland.envs import added_rows

FIRST_PREDICATE: Final = 10
LAST_PREDICATE: Final = 15
FIRST_SHAPE: Final = 18
LAST_SHAPE: Final = 23
NEAR_METRES: Final = 1.0  # Between centres.
DENSITY: Final = 50.0  # Kilograms per cubic metre: foam, light enough to carry.

Array = Any  # NumPy or JAX.


class Nodes(NamedTuple):
  """The state of one world that a predicate may depend on.

  Attributes:
    offset: From node i to node j, metres, float [M, M, 3].
    touching: Contacts in the last step, bool [M, M]; only those between the two
      types of a literal in the task whose predicate has `contacts`.
    holds: Node i is a player that holds node j, bool [M, M].
    sees: Visibility, bool [M, M]; from objects only for the types of a and b,
      in this order, of a literal in the task whose predicate has `sight`.
  """

  offset: Array
  touching: Array
  holds: Array
  sees: Array


class Predicate(NamedTuple):
  """A relation between two nodes.

  Attributes:
    name: Its name in task files.
    id: Its number in arrays.
    text: The relation of a and b, in words.
    test: Function of the nodes that returns where the relation holds, bool
      [M, M], with methods and operators of arrays. An absent node and a pair of
      a node with itself never count.
    arguments: Kinds of the two arguments: "any", "player" or "object".
    symmetric: Kinds of arguments whose order does not matter: "any", "object"
      (only between two objects) or "none".
    contacts: Whether `test` reads contacts, which have a cost.
    sight: Whether `test` reads visibility, which has a cost.
    weight: How often samplers draw it by default, relative to others, from 0.
    means: The built-in predicate whose skill achieves it. It determines what
      the expert does ("near": brings a close to b, "touching": into contact,
      "hold": takes b, "see": looks), and what samplers and the planner expect.
  """

  name: str
  id: int
  text: str
  test: Callable[[Nodes], Array]
  arguments: tuple[str, str] = ("any", "any")
  symmetric: str = "any"
  contacts: bool = False
  sight: bool = False
  weight: int = 1
  means: str = "near"


class Shape(NamedTuple):
  """Size and form of one shape.

  Lengths are in metres in the object's own frame, whose origin is its centre of
  mass and whose z axis points up when the object stands on its base.

  Attributes:
    name: Its name in task files.
    id: Its number in arrays.
    form: "box", "ball", or "mesh" for the hull of `corners`.
    half_extents: Half the size of the bounding box along x, y and z.
    centre_height: Height of the centre of mass above the ground, when the
      object stands on its base.
    footprint_radius: Radius of the smallest upright cylinder about the centre
      of mass that contains the object, at any yaw.
    bounding_radius: Radius of the smallest sphere about the centre of mass that
      contains the object, in any pose.
    volume: Volume in cubic metres.
    inertia: Function of the mass that returns the principal moments about the
      centre of mass, kg m².
    corners: Corners of a mesh.
    rolls: Whether it rolls away, so that contact with it does not last.
    sloped: Whether its base is in the way of a player's feet.
  """

  name: str
  id: int
  form: str
  half_extents: tuple[float, float, float]
  centre_height: float
  footprint_radius: float
  bounding_radius: float
  volume: float
  inertia: Callable[[float], tuple[float, float, float]]
  corners: tuple[tuple[float, float, float], ...] = ()
  rolls: bool = False
  sloped: bool = False

  @property
  def mass(self) -> float:
    """Mass in kilograms."""
    return self.volume * DENSITY


def box(name: str, id: int, x: float, y: float, z: float) -> Shape:
  """Returns a box.

  Args:
    name: Its name in task files, a single word.
    id: Its number in arrays; see the module's docstring.
    x: Half its size along x, metres.
    y: Half its size along y, metres.
    z: Half its height, metres.
  """
  xx, yy, zz = x * x, y * y, z * z
  return Shape(
    name=name,
    id=id,
    form="box",
    half_extents=(x, y, z),
    centre_height=z,
    footprint_radius=math.hypot(x, y),
    bounding_radius=math.hypot(x, y, z),
    volume=8 * x * y * z,
    inertia=lambda mass: (
      mass / 3 * (yy + zz),
      mass / 3 * (xx + zz),
      mass / 3 * (xx + yy),
    ),
  )


def ball(name: str, id: int, radius: float) -> Shape:
  """Returns a ball.

  Args:
    name: Its name in task files, a single word.
    id: Its number in arrays; see the module's docstring.
    radius: Its radius, metres.
  """
  return Shape(
    name=name,
    id=id,
    form="ball",
    half_extents=(radius, radius, radius),
    centre_height=radius,
    footprint_radius=radius,
    bounding_radius=radius,
    volume=4 / 3 * math.pi * radius**3,
    inertia=lambda mass: (0.4 * mass * (radius * radius),) * 3,
    rolls=True,
  )


def pyramid(name: str, id: int, half_base: float, height: float) -> Shape:
  """Returns a pyramid on a square base.

  Args:
    name: Its name in task files, a single word.
    id: Its number in arrays; see the module's docstring.
    half_base: Half the side of its base, metres.
    height: Its height, metres.
  """
  centre = height / 4  # A pyramid's centre of mass above its base.
  base_corner = math.hypot(half_base, half_base)
  base_squared, half_squared = half_base * half_base, (height / 2) ** 2
  ends = (-half_base, half_base)
  return Shape(
    name=name,
    id=id,
    form="mesh",
    half_extents=(half_base, half_base, height / 2),
    centre_height=centre,
    footprint_radius=base_corner,
    bounding_radius=max(height - centre, math.hypot(base_corner, centre)),
    volume=(2 * half_base) ** 2 * height / 3,
    # Square base 2a, height h: a²/5 + 3 h²/80 across the axis.
    inertia=lambda mass: (
      *(mass * (base_squared / 5 + 3 * (4 * half_squared) / 80),) * 2,
      mass * 2 * base_squared / 5,
    ),
    corners=(
      *((x, y, -centre) for x in ends for y in ends),
      (0.0, 0.0, height - centre),
    ),
    sloped=True,
  )


def _squared(offset: Array) -> Array:
  """Returns the squared lengths of offsets [M, M, 3]."""
  # XLA takes ten times as long for a sum over such a short axis.
  x, y, z = (offset[..., axis] for axis in range(3))
  return x * x + y * y + z * z


_OWN_PREDICATES: Final = (
  Predicate(
    "touching",
    1,
    "a and b are in contact",
    lambda nodes: nodes.touching,
    contacts=True,
    means="touching",
  ),
  Predicate(
    "near",
    2,
    "the centres of a and b are within a metre",
    lambda nodes: _squared(nodes.offset) <= NEAR_METRES**2,
  ),
  Predicate(
    "hold",
    3,
    "player a has b in its hand",
    lambda nodes: nodes.holds,
    arguments=("player", "object"),
    symmetric="none",
    means="hold",
  ),
  Predicate(
    "see",
    4,
    "b is in player a's view; nothing is between the objects a and b",
    lambda nodes: nodes.sees,
    symmetric="object",
    sight=True,
    means="see",
  ),
)
_OWN_SHAPES: Final = (
  box("wall", 1, 0.08, 0.4, 0.25),
  box("cube", 2, 0.2, 0.2, 0.2),
  ball("sphere", 3, 0.22),
  pyramid("pyramid", 4, 0.25, 0.45),
)
_ALLOWED: Final = {
  "arguments": ("any", "player", "object"),
  "symmetric": ("any", "object", "none"),
  "means": tuple(row.name for row in _OWN_PREDICATES),
  "form": ("box", "ball", "mesh"),
}


def _table(name: str, own: Sequence[Any], first: int, last: int) -> tuple:
  added = added_rows.read(name, type(own[0]))
  names = {row.name for row in own}
  added_rows.check(added, first, last, names, _ALLOWED)
  return (*own, *added)


PREDICATES: Final[tuple[Predicate, ...]] = _table(
  "PREDICATES", _OWN_PREDICATES, FIRST_PREDICATE, LAST_PREDICATE
)
SHAPES: Final[tuple[Shape, ...]] = _table(
  "SHAPES", _OWN_SHAPES, FIRST_SHAPE, LAST_SHAPE
)
PREDICATE_OF_NAME: Final = {row.name: row for row in PREDICATES}
