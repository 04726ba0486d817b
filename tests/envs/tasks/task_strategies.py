"""Hypothesis strategies for whole tasks, shared by tests of both forms."""

from hypothesis import strategies as st

from adaland.envs import constants
from adaland.envs.tasks.literals import OBJECT_TYPES, Literal, Player, Rule
from adaland.envs.tasks.task import Hiding, ObjectSpec, PlayerSpec, Task, World

object_types = st.sampled_from(OBJECT_TYPES)
# Inside the smallest arena drawn below, whatever the shape.
positions = st.none() | st.tuples(
  st.floats(-1, 1, allow_subnormal=False),
  st.floats(-1, 1, allow_subnormal=False),
)


@st.composite
def literals(draw, num_players):
  players = st.sampled_from([Player(i + 1) for i in range(num_players)])
  predicate = draw(st.sampled_from(constants.PREDICATES))
  if predicate == "hold":
    a, b = draw(players), draw(object_types)
  else:
    arguments = st.one_of(object_types, players)
    a = draw(arguments)
    b = draw(arguments.filter(lambda x: x != a or not isinstance(x, Player)))
  return Literal(predicate, a, b, draw(st.booleans()))


@st.composite
def worlds(draw):
  x, y = draw(st.integers(3, 6)), draw(st.integers(3, 6))
  levels = draw(st.integers(1, 4))
  column = st.lists(st.integers(0, levels - 1), min_size=y, max_size=y)
  columns = st.lists(column.map(tuple), min_size=x, max_size=x).map(tuple)
  heights = draw(st.none() | columns)
  return World(
    seed=draw(st.integers(0, 2**31 - 1)),
    tiles=(x, y),
    levels=levels,
    heights=heights,
    walls=draw(st.integers(0, 8)) if heights is None else 0,
    diagonals=draw(st.integers(0, 8)) if heights is None else 0,
  )


@st.composite
def object_specs(draw):
  count = draw(st.integers(1, 4))
  at = st.lists(positions, min_size=count, max_size=count).map(tuple)
  return ObjectSpec(draw(object_types), count, draw(at), draw(st.booleans()))


@st.composite
def hidings(draw, num_rules):
  numbers = st.integers(1, num_rules) if num_rules else st.nothing()
  return Hiding(
    rules=tuple(draw(st.lists(numbers, unique=True))),
    objects=tuple(draw(st.lists(object_types, unique=True))),
    predicates=tuple(
      draw(st.lists(st.sampled_from(constants.PREDICATES), unique=True))
    ),
  )


@st.composite
def tasks(draw):
  num_players = draw(st.integers(1, 2))
  rules = draw(
    st.lists(
      st.builds(
        Rule,
        literals(num_players),
        st.lists(object_types, max_size=constants.MAX_SPAWNS).map(tuple),
      ),
      max_size=5,
    )
  )
  players = range(num_players)
  return Task(
    world=draw(worlds()),
    objects=tuple(draw(st.lists(object_specs(), max_size=6))),
    players=tuple(
      PlayerSpec(draw(literals(num_players)), draw(positions)) for _ in players
    ),
    rules=tuple(rules),
    hiding=tuple(draw(hidings(len(rules))) for _ in players),
    trials=draw(st.integers(1, constants.MAX_TRIALS)),
    trial_seconds=draw(st.floats(2, 40)),
    name=draw(st.text(max_size=80).filter(str.isprintable)),
  )
