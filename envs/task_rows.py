"""The tasks of a batch of environments as arrays, a row an environment.

N: environments, P: players, S: slots, R: rules.
"""

import jax
import jax.numpy as jnp
import numpy as np

from envs import clock as clock_lib
from envs import constants, task_arrays, worlds
from envs import game as game_lib
from envs import session as session_lib
from envs.land_types import LandConfig
from envs.physics import base
from envs.task import Task

_TOUCHING = constants.PREDICATES.index("touching") + 1
_SEE = constants.PREDICATES.index("see") + 1


def _read_only(array: np.ndarray) -> np.ndarray:
  """A copy that nobody can change."""
  copy = array.copy()
  copy.flags.writeable = False
  return copy


@jax.jit
def _copied(rows: session_lib.Tasks) -> session_lib.Tasks:
  """The same with JAX, whatever becomes of arrays on the host."""
  return jax.tree.map(jnp.copy, rows)


class TaskRows:
  """Turns tasks into rows of arrays, for JAX and for the players.

  Attributes:
    keys: A number for each task, for drawing yaws.
    game: The games on the host.
    device: All tasks as JAX arrays, as of the last `load`.
    shown: The observations that change with the task only, goal int32
      [N, P, 6] and rules int32 [N, P, R, 14], read-only.
  """

  def __init__(self, num_envs: int, config: LandConfig):
    self._config = config
    n, s, p = num_envs, config.num_slots, config.num_players
    r, width = config.max_rules, constants.RULE_WIDTH
    tiles = (n, constants.MAX_TILES, constants.MAX_TILES)
    self.keys = [0] * n
    self.game = game_lib.Game(
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
    self._publish()

  def load(self, env_ids: np.ndarray, tasks: list[Task]) -> list[base.Scene]:
    """Writes the rows of some environments.

    Args:
      env_ids: Which, int [C].
      tasks: The task of every environment, N.

    Returns:
      The scenes of these environments.

    Raises:
      ValueError: If a task has too many rules or objects for the sizes here.
    """
    scenes = [self._write(i, tasks[i]) for i in env_ids]
    self._publish()
    return scenes

  def _publish(self) -> None:
    self.device = _copied(self._rows)
    self.shown = {
      "goal": _read_only(self.game.goal),
      "rules": _read_only(self._seen_rules),
    }

  def _write(self, i: int, task: Task) -> base.Scene:
    config, game, rows = self._config, self.game, self._rows
    if len(task.rules) > config.max_rules:
      raise ValueError(
        f"number of rules in the task is {len(task.rules)}, allowed: at most "
        f"{config.max_rules}, the environment's max_rules"
      )
    scene = worlds.build_scene(task, config.num_slots, config.num_players)
    arrays = task_arrays.to_arrays(task)
    game.goal[i] = arrays.goal[: config.num_players]
    game.rules[i] = arrays.rules[: config.max_rules]
    self._seen_rules[i] = arrays.seen_rules[
      : config.num_players, : config.max_rules
    ]
    literals = np.concatenate(
      [game.goal[i], game.rules[i][:, : constants.LITERAL_WIDTH]]
    )
    pairs = np.stack(task_arrays.literal_types(literals), axis=-1)
    rows.see_literals[i] = pairs * (literals[:, 1:2] == _SEE)
    x, y = scene.heights.shape
    game.heights[i], game.ramps[i], game.tiles[i] = 0, 0, (x, y)
    game.heights[i, :x, :y] = scene.heights
    game.ramps[i, :x, :y] = scene.ramps
    flat = not (scene.heights.any() or scene.ramps.any())
    rows.room[i] = flat * np.array([x, y]) * (constants.TILE_METRES / 2)
    rows.start_types[i] = scene.slot_types
    rows.start_frozen[i] = scene.slot_frozen
    rows.trials[i], rows.trial_steps[i] = arrays.trials, arrays.trial_steps
    self.keys[i] = clock_lib.task_key(task)
    touching = np.asarray((literals[:, 1] == _TOUCHING).any())
    return scene._replace(contacts=touching)
