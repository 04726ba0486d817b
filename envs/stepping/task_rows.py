"""The tasks of a batch of environments as arrays, a row an environment.

N: environments, P: players, S: slots, R: rules.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants
from adaland.envs.game import clock as clock_lib
from adaland.envs.game import engine
from adaland.envs.land_types import LandConfig
from adaland.envs.stepping import env_state as session_lib
from adaland.envs.tasks import arrays as task_arrays
from adaland.envs.tasks.task import Task
from adaland.envs.worlds import scene as worlds

_TOUCHING = constants.PREDICATES.index("touching") + 1
_SEE = constants.PREDICATES.index("see") + 1


class Prepared(NamedTuple):
  """A task, and all that the host makes of it for an environment.

  Attributes:
    task: The task.
    key: A number for it, for drawing yaws.
    scene: What its physics loads.
    row: Its row, leaves without [N].
    seen_rules: The rules as each player is shown them, int32 [P, R, 14].
  """

  task: Task
  key: int
  scene: Any
  row: session_lib.Tasks
  seen_rules: np.ndarray

  @property
  def trials(self) -> int:
    """Of its episodes."""
    return self.task.trials


def prepare(task: Task, config: LandConfig) -> Prepared:
  """Makes of a task all that the host can make without its environment.

  Args:
    task: The task.
    config: Of the environments.

  Raises:
    ValueError: If the task has too many rules or objects for them.
  """
  num_players, max_rules = config.num_players, config.max_rules
  if len(task.rules) > max_rules:
    raise ValueError(
      f"number of rules in the task is {len(task.rules)}, allowed: at most "
      f"{max_rules}, the environment's max_rules"
    )
  scene = worlds.build_scene(task, config.num_slots, num_players)
  arrays = task_arrays.to_arrays(task)
  goal, rules = arrays.goal[:num_players], arrays.rules[:max_rules]
  literals = np.concatenate([goal, rules[:, : constants.LITERAL_WIDTH]])
  pairs = np.stack(task_arrays.literal_types(literals), axis=-1)
  x, y = scene.heights.shape
  flat = not (scene.heights.any() or scene.ramps.any())
  touching = np.asarray((literals[:, 1] == _TOUCHING).any())
  start: Any = scene._replace(contacts=touching)
  if config.backend == "gpu":
    from adaland.envs.physics.gpu import start as gpu_start

    start = gpu_start.make(start)
  return Prepared(
    task=task,
    key=clock_lib.task_key(task),
    scene=start,
    row=session_lib.Tasks(
      game=engine.Game(
        goal=goal,
        rules=rules,
        heights=_padded(scene.heights),
        ramps=_padded(scene.ramps),
        tiles=np.array([x, y], np.int32),
      ),
      see_literals=(pairs * (literals[:, 1:2] == _SEE)).astype(np.int32),
      room=flat
      * np.array([x, y], np.float32)
      * np.float32(constants.TILE_METRES / 2),
      start_types=scene.slot_types,
      start_frozen=scene.slot_frozen,
      trials=np.asarray(arrays.trials, np.int32),
      trial_steps=np.asarray(arrays.trial_steps, np.int32),
    ),
    seen_rules=arrays.seen_rules[:num_players, :max_rules],
  )


def _padded(tiles: np.ndarray) -> np.ndarray:
  """Numbers of tiles in the room that the largest arena needs."""
  x, y = tiles.shape
  padded = np.zeros((constants.MAX_TILES, constants.MAX_TILES), np.int32)
  padded[:x, :y] = tiles
  return padded


def _read_only(array: np.ndarray) -> np.ndarray:
  """A copy that nobody can change."""
  copy = array.copy()
  copy.flags.writeable = False
  return copy


@jax.jit
def _copied(rows: session_lib.Tasks) -> session_lib.Tasks:
  """The same with JAX, whatever becomes of arrays on the host."""
  return jax.tree.map(jnp.copy, rows)


@jax.jit
def _written(rows: Any, env_ids: np.ndarray, some: Any) -> Any:
  """Rows of which some are replaced; ids past the last are left out."""
  return jax.tree.map(
    lambda old, new: old.at[env_ids].set(new, mode="drop"), rows, some
  )


class TaskRows:
  """Keeps tasks as rows of arrays, for JAX and for the players.

  Args:
    num_envs: N.
    config: Of the environments. On the gpu back end a load writes what it
      loads to the device, and nothing else goes there.

  Attributes:
    keys: A number for each task, for drawing yaws.
    game: The games on the host.
    device: All tasks as JAX arrays, as of the last `load`.
    shown: The observations that change with the task only, goal int32
      [N, P, 6] and rules int32 [N, P, R, 14], read-only; on the gpu back end
      JAX arrays.
  """

  def __init__(self, num_envs: int, config: LandConfig):
    self._stays = config.backend == "gpu"
    n, s, p = num_envs, config.num_slots, config.num_players
    r, width = config.max_rules, constants.RULE_WIDTH
    tiles = (n, constants.MAX_TILES, constants.MAX_TILES)
    self.keys = [0] * n
    self.game = engine.Game(
      goal=np.zeros((n, p, constants.LITERAL_WIDTH), np.int32),
      rules=np.zeros((n, r, width), np.int32),
      heights=np.zeros(tiles, np.int32),
      ramps=np.zeros(tiles, np.int32),
      tiles=np.ones((n, 2), np.int32),
    )
    self._seen_rules = np.zeros((n, p, r, width), np.int32)
    self._rows = session_lib.Tasks(
      game=self.game,
      see_literals=np.zeros((n, p + r, 2), np.int32),
      room=np.zeros((n, 2), np.float32),
      start_types=np.zeros((n, s), np.int32),
      start_frozen=np.zeros((n, s), bool),
      trials=np.ones(n, np.int32),
      trial_steps=np.ones(n, np.int32),
    )
    self.device = _copied(self._rows)
    self._seen_on_device = jnp.array(self._seen_rules)
    self._publish(np.arange(n))

  def load(self, env_ids: np.ndarray, tasks: Sequence[Prepared]) -> None:
    """Writes the rows of some environments, int [C]."""
    leaves = jax.tree.leaves(self._rows)
    for i, task in zip(env_ids, tasks, strict=True):
      self.keys[i] = task.key
      self._seen_rules[i] = task.seen_rules
      for rows, row in zip(leaves, jax.tree.leaves(task.row), strict=True):
        rows[i] = row
    self._publish(env_ids)

  def _publish(self, env_ids: np.ndarray) -> None:
    """Gives to JAX and to the players what was written."""
    if not self._stays:
      self.device = _copied(self._rows)
      self.shown = {
        "goal": _read_only(self.game.goal),
        "rules": _read_only(self._seen_rules),
      }
      return
    # Filled up to a power of two: so few programs serve all numbers of rows.
    rows = np.full(1 << (len(env_ids) - 1).bit_length(), len(self.keys))
    rows[: len(env_ids)] = env_ids
    host = (self._rows, self._seen_rules)
    some = jax.tree.map(lambda x: x[rows % len(x)], host)
    self.device, self._seen_on_device = _written(
      (self.device, self._seen_on_device), rows.astype(np.int32), some
    )
    self.shown = {
      "goal": self.device.game.goal,
      "rules": self._seen_on_device,
    }
