"""Tasks as dense padded arrays, exactly convertible to and from `task.Task`.

The rule engine runs these arrays, and the agent observes them. P is
MAX_PLAYERS, whatever the task's number of players; rows of absent players are
zero. A literal is [negated, predicate, shape 1, colour 1, shape 2, colour 2]. A
rule is the literal of its condition and MAX_SPAWNS pairs (shape, colour). A
predicate of 0 means "no literal".
"""

from typing import Any, Final, NamedTuple

import numpy as np

from adaland.envs import constants, tables
from adaland.envs.tasks.literals import (
  Argument,
  Literal,
  ObjectType,
  Player,
  Rule,
)
from adaland.envs.tasks.task import (
  MAX_NAME,
  Hiding,
  ObjectSpec,
  PlayerSpec,
  Position,
  Task,
  World,
)

_PREDICATE_OF_ID: Final = {row.id: row.name for row in tables.PREDICATES}
# Ids between Adaland's last shape and the first added one.
_SHAPES_SKIPPED: Final = tables.FIRST_SHAPE - 1 - (constants.PLAYER_SHAPE - 1)


class GameArrays(NamedTuple):
  """The arrays of one task, int32 except for the positions.

  Attributes:
    goal: Literal of each player's goal, [P, LITERAL_WIDTH].
    rules: The true rules, [MAX_RULES, RULE_WIDTH].
    seen_rules: The rules as each player observes them, with placeholders for
      hidden parts, [P, MAX_RULES, RULE_WIDTH].
    trials: Number of trials in an episode, [].
    trial_steps: Length of a trial in agent steps, [].
    num_players: Number of players in the task, [].
    num_objects: Number of objects at the start, which are in the first slots,
      [].
    object_types: Type id of each object, 0 for none, [MAX_OBJECTS].
    object_frozen: 1 where the object never moves, [MAX_OBJECTS].
    object_spec: Number, from 1, of each object's ObjectSpec, [MAX_OBJECTS].
    object_at: Given start positions, NaN where drawn, float64
      [MAX_OBJECTS, 2].
    player_at: The same for the players, float64 [P, 2].
    hidden_rules: 1 where a rule is hidden from a player, [P, MAX_RULES].
    hidden_objects: Type ids in the order of their placeholders,
      [P, MAX_HIDDEN_OBJECTS].
    hidden_predicates: Predicate ids in the order of their placeholders,
      [P, MAX_HIDDEN_PREDICATES].
    world_seed: The world's seed, [].
    tiles: Size of the arena, [2].
    levels: Number of ground heights, [].
    walls: Number of inner walls, [].
    diagonals: Number of diagonal cliffs, [].
    heights: Level of each tile if given, else -1, [MAX_TILES, MAX_TILES].
    name: Code points, padded with 0, [MAX_NAME].
  """

  goal: np.ndarray
  rules: np.ndarray
  seen_rules: np.ndarray
  trials: np.ndarray
  trial_steps: np.ndarray
  num_players: np.ndarray
  num_objects: np.ndarray
  object_types: np.ndarray
  object_frozen: np.ndarray
  object_spec: np.ndarray
  object_at: np.ndarray
  player_at: np.ndarray
  hidden_rules: np.ndarray
  hidden_objects: np.ndarray
  hidden_predicates: np.ndarray
  world_seed: np.ndarray
  tiles: np.ndarray
  levels: np.ndarray
  walls: np.ndarray
  diagonals: np.ndarray
  heights: np.ndarray
  name: np.ndarray


def type_ids(shape: Any, colour: Any) -> Any:
  """Returns the type ids of shapes and colours, including players'.

  Args:
    shape: Shape ids, NumPy or JAX integers of any shape.
    colour: Colour ids (or player numbers) of the same shape.

  Returns:
    Type ids 1 to NUM_TYPES, 0 where the shape is 0. Placeholders of hidden
    objects have no type id: pass true rules only.
  """
  row = shape - 1
  row += (shape == constants.PLAYER_SHAPE) * (constants.NUM_SHAPES - row)
  row -= (shape >= tables.FIRST_SHAPE) * _SHAPES_SKIPPED
  return (row * constants.NUM_COLOURS + colour) * (shape > 0)


def literal_types(literal: Any) -> tuple[Any, Any]:
  """Returns the type ids of both arguments of literals or rules [..., W]."""
  return (
    type_ids(literal[..., 2], literal[..., 3]),
    type_ids(literal[..., 4], literal[..., 5]),
  )


def spawn_types(rule: Any) -> Any:
  """Returns the type ids [..., MAX_SPAWNS] of the spawns of rules [..., W]."""
  spawns = rule[..., constants.LITERAL_WIDTH :]
  return type_ids(spawns[..., 0::2], spawns[..., 1::2])


def literal_row(literal: Literal) -> list[int]:
  """Returns the LITERAL_WIDTH integers of a literal."""
  return [int(literal.negated), literal.row.id, *literal.a.ids, *literal.b.ids]


def rule_row(rule: Rule) -> list[int]:
  """Returns the RULE_WIDTH integers of a rule."""
  spawns = [i for spawn in rule.spawns for i in spawn.ids]
  padding = [0] * (2 * constants.MAX_SPAWNS - len(spawns))
  return literal_row(rule.condition) + spawns + padding


def _seen_row(rule: Rule, number: int, hiding: Hiding) -> list[int]:
  """Returns the row of a rule as a player observes it."""
  row = rule_row(rule)
  if number in hiding.rules:
    return [0, constants.HIDDEN_RULE] + [0] * (constants.RULE_WIDTH - 2)
  if rule.condition.predicate in hiding.predicates:
    placeholder = hiding.predicates.index(rule.condition.predicate) + 1
    row[1] = constants.HIDDEN_RULE + placeholder
  hidden = [kind.ids for kind in hiding.objects]
  for at in range(2, constants.RULE_WIDTH, 2):
    if (row[at], row[at + 1]) in hidden:
      placeholder = hidden.index((row[at], row[at + 1])) + 1
      row[at : at + 2] = constants.PLAYER_SHAPE + placeholder, 0
  return row


def _position_row(at: Position) -> tuple[float, float]:
  return (np.nan, np.nan) if at is None else at


def to_arrays(task: Task) -> GameArrays:
  """Converts a task to arrays."""

  def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.int32)

  players = constants.MAX_PLAYERS
  arrays = GameArrays(
    goal=zeros(players, constants.LITERAL_WIDTH),
    rules=zeros(constants.MAX_RULES, constants.RULE_WIDTH),
    seen_rules=zeros(players, constants.MAX_RULES, constants.RULE_WIDTH),
    trials=np.asarray(task.trials, np.int32),
    trial_steps=np.asarray(task.trial_steps, np.int32),
    num_players=np.asarray(len(task.players), np.int32),
    num_objects=np.asarray(task.num_objects, np.int32),
    object_types=zeros(constants.MAX_OBJECTS),
    object_frozen=zeros(constants.MAX_OBJECTS),
    object_spec=zeros(constants.MAX_OBJECTS),
    object_at=np.full((constants.MAX_OBJECTS, 2), np.nan),
    player_at=np.full((players, 2), np.nan),
    hidden_rules=zeros(players, constants.MAX_RULES),
    hidden_objects=zeros(players, constants.MAX_HIDDEN_OBJECTS),
    hidden_predicates=zeros(players, constants.MAX_HIDDEN_PREDICATES),
    world_seed=np.asarray(task.world.seed, np.int32),
    tiles=np.asarray(task.world.tiles, np.int32),
    levels=np.asarray(task.world.levels, np.int32),
    walls=np.asarray(task.world.walls, np.int32),
    diagonals=np.asarray(task.world.diagonals, np.int32),
    heights=zeros(constants.MAX_TILES, constants.MAX_TILES) - 1,
    name=zeros(MAX_NAME),
  )
  for i, rule in enumerate(task.rules):
    arrays.rules[i] = rule_row(rule)
  for p, (player, hiding) in enumerate(
    zip(task.players, task.hiding, strict=True)
  ):
    arrays.goal[p] = literal_row(player.goal)
    arrays.player_at[p] = _position_row(player.at)
    arrays.hidden_rules[p, [number - 1 for number in hiding.rules]] = 1
    for n, kind in enumerate(hiding.objects):
      arrays.hidden_objects[p, n] = kind.type_id
    for n, predicate in enumerate(hiding.predicates):
      row = tables.PREDICATE_OF_NAME[predicate]
      arrays.hidden_predicates[p, n] = row.id
    for i, rule in enumerate(task.rules):
      arrays.seen_rules[p, i] = _seen_row(rule, i + 1, hiding)
  slot = 0
  for number, spec in enumerate(task.objects, start=1):
    for at in spec.at:
      arrays.object_types[slot] = spec.type.type_id
      arrays.object_frozen[slot] = spec.frozen
      arrays.object_spec[slot] = number
      arrays.object_at[slot] = _position_row(at)
      slot += 1
  if task.world.heights is not None:
    x, y = task.world.tiles
    arrays.heights[:x, :y] = task.world.heights
  for i, letter in enumerate(task.name):
    arrays.name[i] = ord(letter)
  return arrays


def _read_argument(shape: int, colour: int) -> Argument:
  if shape == constants.PLAYER_SHAPE:
    return Player(colour)
  return ObjectType(shape, colour)


def read_literal(row: np.ndarray) -> Literal:
  """Reads a literal from a result of `literal_row`."""
  negated, predicate, *ids = (int(i) for i in row[: constants.LITERAL_WIDTH])
  return Literal(
    predicate=_PREDICATE_OF_ID[predicate],
    a=_read_argument(*ids[:2]),
    b=_read_argument(*ids[2:]),
    negated=bool(negated),
  )


def read_rule(row: np.ndarray) -> Rule:
  """Reads a rule from a result of `rule_row`."""
  spawns = row[constants.LITERAL_WIDTH :].reshape(-1, 2)
  return Rule(
    condition=read_literal(row),
    spawns=tuple(ObjectType(int(s), int(c)) for s, c in spawns if s),
  )


def _read_position(at: np.ndarray) -> Position:
  return None if np.isnan(at).any() else (float(at[0]), float(at[1]))


def _read_hiding(arrays: GameArrays, player: int) -> Hiding:
  return Hiding(
    rules=tuple(
      int(i) + 1 for i in np.flatnonzero(arrays.hidden_rules[player])
    ),
    objects=tuple(
      ObjectType.from_type_id(int(i))
      for i in arrays.hidden_objects[player]
      if i
    ),
    predicates=tuple(
      _PREDICATE_OF_ID[int(i)] for i in arrays.hidden_predicates[player] if i
    ),
  )


def from_arrays(arrays: GameArrays) -> Task:
  """Reads a task from a result of `to_arrays`."""
  x, y = (int(size) for size in arrays.tiles)
  heights = None
  if arrays.heights[0, 0] >= 0:
    heights = tuple(
      tuple(int(level) for level in column) for column in arrays.heights[:x, :y]
    )
  objects = []
  for number in range(1, int(arrays.object_spec.max()) + 1):
    slots = np.flatnonzero(arrays.object_spec == number)
    objects.append(
      ObjectSpec(
        type=ObjectType.from_type_id(int(arrays.object_types[slots[0]])),
        count=len(slots),
        at=tuple(_read_position(arrays.object_at[slot]) for slot in slots),
        frozen=bool(arrays.object_frozen[slots[0]]),
      )
    )
  players = range(int(arrays.num_players))
  return Task(
    world=World(
      int(arrays.world_seed),
      (x, y),
      int(arrays.levels),
      heights,
      int(arrays.walls),
      int(arrays.diagonals),
    ),
    objects=tuple(objects),
    players=tuple(
      PlayerSpec(
        read_literal(arrays.goal[p]), _read_position(arrays.player_at[p])
      )
      for p in players
    ),
    rules=tuple(read_rule(row) for row in arrays.rules if row[1]),
    hiding=tuple(_read_hiding(arrays, p) for p in players),
    trials=int(arrays.trials),
    trial_seconds=int(arrays.trial_steps) * 2 / 15,
    name="".join(chr(i) for i in arrays.name if i),
  )
