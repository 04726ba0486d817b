"""The tasks of a batch of environments as arrays, one row per environment.

N: environments, P: players, S: slots, R: rules.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants, land_types, tables
from adaland.envs.game import clocks, engine
from adaland.envs.observations import vision
from adaland.envs.physics import base
from adaland.envs.stepping import env_state
from adaland.envs.tasks import arrays
from adaland.envs.tasks.task import Task
from adaland.envs.worlds import regions, scene

# Whether a predicate reads contacts, and whether it reads visibility, by id.
_CONTACTS, _SIGHT = np.zeros((2, constants.NUM_PREDICATE_IDS), bool)
for _row in tables.PREDICATES:
  _CONTACTS[_row.id], _SIGHT[_row.id] = _row.contacts, _row.sight


class PreparedTask(NamedTuple):
  """A task with all data that the host derives from it for an environment.

  Attributes:
    task: The task.
    key: The task's key for drawing yaws, see `clocks.task_key`.
    scene: The start state that physics loads.
    row: The task's row; its arrays don't have the dimension N.
    seen_rules: The rules as shown to each player, int32 [P, R, 14].
  """

  task: Task
  key: int
  scene: Any
  row: env_state.TaskBatch
  seen_rules: np.ndarray

  @property
  def trials(self) -> int:
    """Number of trials in an episode of the task."""
    return self.task.trials

  @property
  def trial_seconds(self) -> float:
    """Duration of a trial of the task."""
    return self.task.trial_seconds


def prepare(task: Task, config: land_types.LandConfig) -> PreparedTask:
  """Prepares a task on the host, before its environment needs it.

  Args:
    task: The task.
    config: The configuration of the environments.

  Raises:
    ValueError: If the task has too many rules or objects for them.
  """
  num_players, max_rules = config.num_players, config.max_rules
  if len(task.rules) > max_rules:
    raise ValueError(
      f"number of rules in the task is {len(task.rules)}, allowed: at most "
      f"{max_rules}, the environment's max_rules"
    )
  built = scene.build_scene(task, config.num_slots, num_players)
  encoded = arrays.to_arrays(task)
  goal, rules = encoded.goal[:num_players], encoded.rules[:max_rules]
  literals = np.concatenate([goal, rules[:, : constants.LITERAL_WIDTH]])
  pairs = np.stack(arrays.literal_types(literals), axis=-1)
  x, y = built.heights.shape
  flat = not (built.heights.any() or built.ramps.any())
  touching = np.zeros_like(base.ALL_CONTACTS)
  a, b = pairs[_CONTACTS[literals[:, 1]]].T
  touching[a, b] = touching[b, a] = True
  start: Any = built._replace(contacts=touching)
  if config.backend == "gpu":
    from adaland.envs.physics.gpu import preparation

    start = preparation.prepare(start)
  return PreparedTask(
    task=task,
    key=clocks.task_key(task),
    scene=start,
    row=env_state.TaskBatch(
      game=engine.GameBatch(
        goal=goal,
        rules=rules,
        heights=_padded(built.heights),
        ramps=_padded(built.ramps),
        tiles=np.array([x, y], np.int32),
        reachable=_padded(_reachable(built, len(task.players))),
      ),
      see_literals=(pairs * _SIGHT[literals[:, 1:2]]).astype(np.int32),
      room=flat
      * np.array([x, y], np.float32)
      * np.float32(constants.TILE_METRES / 2),
      look=vision.look(task.world.seed),
      start_types=built.slot_types,
      start_frozen=built.slot_frozen,
      trials=np.asarray(encoded.trials, np.int32),
      trial_steps=np.asarray(encoded.trial_steps, np.int32),
    ),
    seen_rules=encoded.seen_rules[:num_players, :max_rules],
  )


def _reachable(built: base.Scene, present: int) -> np.ndarray:
  """Returns the tiles that a player can reach from its start, bool [X, Y].

  Args:
    built: The scene.
    present: Number of players that are present; the others are nowhere.
  """
  starts = built.player_at[:present, :2]
  return regions.reachable(built.heights, built.ramps, starts)


def _padded(tiles: np.ndarray) -> np.ndarray:
  """Pads an array over tiles to the size of the largest arena."""
  x, y = tiles.shape
  padded = np.zeros((constants.MAX_TILES, constants.MAX_TILES), np.int32)
  padded[:x, :y] = tiles
  return padded


def _read_only(array: np.ndarray) -> np.ndarray:
  """Returns a copy that cannot be written to."""
  copy = array.copy()
  copy.flags.writeable = False
  return copy


@jax.jit
def _copied(rows: env_state.TaskBatch) -> env_state.TaskBatch:
  """Copies the rows to JAX, isolated from later writes on the host."""
  return jax.tree.map(jnp.copy, rows)


@jax.jit
def _written(rows: Any, env_ids: np.ndarray, some: Any) -> Any:
  """Replaces the rows of some environments; ids past the last are ignored."""
  return jax.tree.map(
    lambda old, new: old.at[env_ids].set(new, mode="drop"), rows, some
  )


class TaskRows:
  """The current tasks as rows of arrays, for JAX and for the players.

  Attributes:
    game: Goals, rules and terrain, on the host.
    device: All tasks as JAX arrays, as of the last `load`.
    observation: The observations that depend only on the task: goal, int32
      [N, P, 6], and rules, int32 [N, P, R, 14]. Read-only; JAX arrays on the
      gpu back end.
  """

  def __init__(self, num_envs: int, config: land_types.LandConfig):
    """Initializes the rows, into which tasks must be loaded.

    Args:
      num_envs: N.
      config: The configuration of the environments. On the gpu back end, a
        load copies only the loaded rows to the device.
    """
    self._on_device = config.backend == "gpu"
    n, s, p = num_envs, config.num_slots, config.num_players
    r, width = config.max_rules, constants.RULE_WIDTH
    tiles = (n, constants.MAX_TILES, constants.MAX_TILES)
    self.game = engine.GameBatch(
      goal=np.zeros((n, p, constants.LITERAL_WIDTH), np.int32),
      rules=np.zeros((n, r, width), np.int32),
      heights=np.zeros(tiles, np.int32),
      ramps=np.zeros(tiles, np.int32),
      tiles=np.ones((n, 2), np.int32),
      reachable=np.zeros(tiles, np.int32),
    )
    self._seen_rules = np.zeros((n, p, r, width), np.int32)
    self._rows = env_state.TaskBatch(
      game=self.game,
      see_literals=np.zeros((n, p + r, 2), np.int32),
      room=np.zeros((n, 2), np.float32),
      look=vision.Look(*np.zeros((4, n, 3), np.float32)),
      start_types=np.zeros((n, s), np.int32),
      start_frozen=np.zeros((n, s), bool),
      trials=np.ones(n, np.int32),
      trial_steps=np.ones(n, np.int32),
    )
    self.device = _copied(self._rows)
    self._seen_on_device = jnp.array(self._seen_rules)
    self._publish(np.arange(n))

  def load(self, env_ids: np.ndarray, tasks: Sequence[PreparedTask]) -> None:
    """Writes the tasks of the environments `env_ids`, int [C]."""
    leaves = jax.tree.leaves(self._rows)
    for i, task in zip(env_ids, tasks, strict=True):
      self._seen_rules[i] = task.seen_rules
      for rows, row in zip(leaves, jax.tree.leaves(task.row), strict=True):
        rows[i] = row
    self._publish(env_ids)

  def _publish(self, env_ids: np.ndarray) -> None:
    """Updates `device` and `observation` from rows that were written."""
    if not self._on_device:
      self.device = _copied(self._rows)
      self.observation = {
        "goal": _read_only(self.game.goal),
        "rules": _read_only(self._seen_rules),
      }
      return
    # Padded to a power of two, so that few programs are compiled.
    rows = np.full(1 << (len(env_ids) - 1).bit_length(), len(self._seen_rules))
    rows[: len(env_ids)] = env_ids
    host = (self._rows, self._seen_rules)
    some = jax.tree.map(lambda x: x[rows % len(x)], host)
    self.device, self._seen_on_device = _written(
      (self.device, self._seen_on_device), rows.astype(np.int32), some
    )
    self.observation = {
      "goal": self.device.game.goal,
      "rules": self._seen_on_device,
    }
