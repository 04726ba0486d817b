"""A task: a world, a game in it, and the number and length of its trials.

task = world x game (x co-player); AdA, arXiv 2301.07608. A task is checked when
it is made, so that every Task can be run. The only exception is the space in
its world, which `worlds.scene.build_scene` checks.
"""

import dataclasses
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adaland.envs import constants, shapes
from adaland.envs.tasks import checks, json_checks, reader
from adaland.envs.tasks.literals import (
  Argument,
  Literal,
  ObjectType,
  Player,
  Rule,
)
from adaland.envs.tasks.parts import (
  MAX_NAME,
  MAX_SEED,
  MIN_TILES,
  Hiding,
  ObjectSpec,
  PlayerSpec,
  Position,
  World,
)

__all__ = [
  "MAX_SEED",
  "MIN_TILES",
  "Argument",
  "Hiding",
  "Literal",
  "ObjectSpec",
  "ObjectType",
  "Player",
  "PlayerSpec",
  "Position",
  "Rule",
  "Task",
  "World",
]


@dataclasses.dataclass(frozen=True)
class Task:
  """The description of an episode, except for the avatars' yaw.

  Attributes:
    world: Terrain and seed.
    objects: The objects at the start of a trial.
    players: One or two players, each with a goal.
    rules: Production rules, at most MAX_RULES, applied in this order.
    hiding: Parts of the rules that each player is not shown; an empty tuple
      hides nothing.
    trials: Number of trials in an episode.
    trial_seconds: Length of a trial, rounded to whole steps.
    name: A label for people, at most MAX_NAME characters.
  """

  world: World
  objects: tuple[ObjectSpec, ...]
  players: tuple[PlayerSpec, ...]
  rules: tuple[Rule, ...] = ()
  hiding: tuple[Hiding, ...] = ()
  trials: int = 3
  trial_seconds: float = 20.0
  name: str = ""

  def __post_init__(self):
    # Lists can't be hashed, and their `repr`, the task's key, is different.
    for name, kind in (
      ("objects", ObjectSpec),
      ("players", PlayerSpec),
      ("rules", Rule),
      ("hiding", Hiding),
    ):
      values = checks.as_tuple(name, getattr(self, name), kind.__name__)
      for i, value in enumerate(values):
        checks.check_type(f"{name}[{i}]", value, kind)
      object.__setattr__(self, name, values)
    checks.check_type("world", self.world, World)
    checks.check_text("name", self.name)
    checks.check_range("number of players", len(self.players), 1, 2)
    checks.check_range(
      "number of rules", len(self.rules), 0, constants.MAX_RULES
    )
    checks.check_range(
      "number of objects", self.num_objects, 0, constants.MAX_OBJECTS
    )
    checks.check_range("trials", self.trials, 1, constants.MAX_TRIALS)
    if not self.hiding:
      object.__setattr__(self, "hiding", (Hiding(),) * len(self.players))
    if len(self.hiding) != len(self.players):
      raise ValueError(
        f"hiding is given for {len(self.hiding)} players, allowed: for each "
        f"of {len(self.players)}"
      )
    for hiding in self.hiding:
      for rule in hiding.rules:
        if rule > len(self.rules):
          raise ValueError(
            f"hide: rules has {rule}, allowed: 1 to {len(self.rules)}, the "
            "number of rules"
          )
    self._check_literals()
    self._check_time()
    self._check_positions()
    if len(self.name) > MAX_NAME or not self.name.isprintable():
      raise ValueError(
        f"name is {self.name[:MAX_NAME]!r}, allowed: at most {MAX_NAME} "
        "printable characters"
      )

  @classmethod
  def of(
    cls,
    goal: str | Literal | Sequence[str | Literal],
    objects: Sequence[str | ObjectType | Mapping[str, Any]],
    rules: Sequence[str | Rule] = (),
    *,
    at: Position | Sequence[Position] = None,
    hide_rules: Sequence[int] = (),
    hide_objects: Sequence[str | ObjectType] = (),
    hide_predicates: Sequence[str] = (),
    world_seed: int | None = None,
    tiles: tuple[int, int] | None = None,
    levels: int | None = None,
    heights: Sequence[Sequence[int]] | None = None,
    walls: int | None = None,
    diagonals: int | None = None,
    trials: int | None = None,
    trial_seconds: float | None = None,
    name: str = "",
  ) -> "Task":
    """Makes a task from text in the form of task files.

    Meaning, defaults and errors are those of a file (docs/tasks.md)::

      Task.of(
        goal="near(player1, black sphere)",
        objects=["black cube", {"type": "purple pyramid", "count": 2}],
        rules=["near(player1, black cube) -> black sphere"],
        hide_rules=[1],
        trials=4,
        trial_seconds=4,
      )

    Args:
      goal: The rewarded literal; for two players, a list of two.
      objects: Object types, or dictionaries with `type` and optionally `count`,
        `at` and `frozen`.
      rules: Production rules, `condition -> spawns`.
      at: Start of the player, metres from the arena's centre; None draws it
        from the world's seed. For two players, a list of two.
      hide_rules: Numbers, from 1, of rules of which only the existence is
        shown; this and the next two arguments apply to every player.
      hide_objects: Object types masked in the rules.
      hide_predicates: Predicates masked in the rules.
      world_seed: Seed of the terrain and of all drawn positions.
      tiles: Size of the arena along x and y, in tiles.
      levels: Number of ground heights, 1 is a flat room.
      heights: Level of each tile, heights[x][y], instead of drawn terrain.
      walls: Number of inner walls in drawn terrain.
      diagonals: Number of diagonal cliffs in drawn terrain.
      trials: Number of trials in an episode.
      trial_seconds: Length of a trial, rounded to whole steps.
      name: A label for people.

    Raises:
      ValueError: If an argument violates the format; the error names it and
        what is allowed.
    """
    if isinstance(goal, Sequence) and not isinstance(goal, str):
      goals, starts = (
        list(goal),
        _plain([None] * len(goal) if at is None else at),
      )
      if not isinstance(starts, list) or len(starts) != len(goals):
        raise json_checks.refusal(
          "at", starts, f"a position or None for each of {len(goals)} players"
        )
    else:
      goals, starts = [goal], [at]
    fields = {
      "format": reader.FORMAT,
      "name": name,
      "world": _given(
        seed=world_seed,
        tiles=tiles,
        levels=levels,
        heights=heights,
        walls=walls,
        diagonals=diagonals,
      ),
      "objects": [
        spec if isinstance(spec, Mapping) else {"type": spec}
        for spec in checks.as_tuple("objects", objects, "objects")
      ],
      "players": [
        {"goal": goal, "at": start}
        for goal, start in zip(goals, starts, strict=True)
      ],
      "rules": rules,
      "hide": {
        "rules": hide_rules,
        "objects": hide_objects,
        "predicates": hide_predicates,
      },
      **_given(trials=trials, trial_seconds=trial_seconds),
    }
    return cls(**reader.read_task_fields(_plain(fields)))

  def _check_literals(self) -> None:
    paths = {
      f"players[{i}].goal": player.goal for i, player in enumerate(self.players)
    }
    for i, rule in enumerate(self.rules):
      paths[f"rules[{i}]"] = rule.condition
    known = [f"player{i + 1}" for i in range(len(self.players))]
    for path, literal in paths.items():
      for argument in literal.arguments:
        if isinstance(argument, Player) and argument.name not in known:
          raise ValueError(
            f"{path}: '{literal}' names {argument}, allowed: {', '.join(known)}"
          )

  def _check_time(self) -> None:
    first, last = constants.MIN_TRIAL_SECONDS, constants.MAX_TRIAL_SECONDS
    seconds = self.trial_seconds
    real = isinstance(seconds, numbers.Real) and not isinstance(seconds, bool)
    if not real or not first <= seconds <= last:
      raise json_checks.refusal(
        "trial_seconds", seconds, f"{first:g} to {last:g}"
      )
    # Multiplying before dividing makes 150 steps exactly 20.0.
    seconds = self.trial_steps * 2 / 15
    object.__setattr__(self, "trial_seconds", seconds)

  def _check_positions(self) -> None:
    room = [constants.TILE_METRES * size / 2 for size in self.world.tiles]
    placed: list[tuple[str, Position, Sequence[float]]] = [
      (f"players[{i}].at", player.at, (constants.AVATAR_RADIUS,) * 2)
      for i, player in enumerate(self.players)
    ]
    for i, spec in enumerate(self.objects):
      half = shapes.shape_of_type(spec.type.type_id).half_extents
      placed += [
        (f"objects[{i}].at[{n}]", at, half) for n, at in enumerate(spec.at)
      ]
    for path, at, half in placed:
      if at is None:
        continue
      for axis in range(2):
        limit = room[axis] - half[axis]
        if abs(at[axis]) > limit + 1e-9:
          raise ValueError(
            f"{path} is ({at[0]:g}, {at[1]:g}), allowed: "
            f"{'xy'[axis]} from {-limit:g} to {limit:g}, inside the arena"
          )

  @property
  def num_objects(self) -> int:
    """Number of objects when a trial starts."""
    return sum(spec.count for spec in self.objects)

  @property
  def trial_steps(self) -> int:
    """Length of a trial in agent steps."""
    return round(self.trial_seconds / constants.STEP_SECONDS)


def _given(**fields: Any) -> dict[str, Any]:
  """Returns the fields that are not None."""
  return {key: value for key, value in fields.items() if value is not None}


def _plain(value: Any) -> Any:
  """Returns a value in JSON's types: lists, dictionaries, strings, numbers."""
  if isinstance(value, (ObjectType, Literal, Rule)):
    return str(value)
  if isinstance(value, (np.ndarray, np.generic)):
    return value.tolist()
  if isinstance(value, Mapping):
    return {key: _plain(entry) for key, entry in value.items()}
  if isinstance(value, Sequence) and not isinstance(value, str):
    return [_plain(entry) for entry in value]
  return value
