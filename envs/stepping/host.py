"""Steps a batch whose physics is on the host, where results are read at once:
what did not happen is not computed.
"""

from typing import Any

import jax
import numpy as np

from adaland.envs import constants
from adaland.envs.game import avatar
from adaland.envs.land_types import LandConfig
from adaland.envs.observations import sight
from adaland.envs.physics import base
from adaland.envs.stepping import env_state as session_lib
from adaland.envs.stepping import stages
from adaland.envs.stepping.base import Shown, Starts
from adaland.envs.stepping.task_rows import TaskRows


class HostStepper:
  """See `stepper.Stepper`, which has the arguments and attributes too."""

  def __init__(self, num_envs: int, config: LandConfig, physics: base.Physics):
    n, p = num_envs, config.num_players
    self._config = config
    self._size = config.pixels if config.observation == "pixels" else None
    self.rows = TaskRows(n, config)
    self.physics = physics
    self.session = session_lib.empty(n, p, config.num_slots)
    self._rewards = np.zeros((n, constants.MAX_TRIALS, p))
    self._fired = np.zeros((n, config.max_rules), bool)
    self._dropped = np.zeros(n, np.int64)
    self._state: base.PhysicsState
    self._poses: avatar.Poses  # Those of the state.

  def reset(self, starts: Starts) -> Shown:
    """Starts an episode everywhere."""
    self._fired = np.zeros_like(self._fired)
    none = np.zeros_like(starts.episode)
    return self._shown(self._renew(starts, none, None))

  def step(
    self, actions: np.ndarray, trial: np.ndarray, starts: Starts
  ) -> Shown:
    """Takes one action where no episode starts."""
    wanted, hand, pitch = stages.control(self.session, self._poses, actions)
    self.physics.step(base.AvatarControl(*map(np.asarray, wanted)))
    self.look_around()
    sees = self._sight(pitch, None)
    self.session, outcome, shown = stages.finish(
      self.rows.device,
      self.session,
      hand,
      pitch,
      self._poses,
      sees,
      actions,
      starts.episode,
      self._size,
    )
    outcome = stages.Outcome(*map(np.asarray, outcome))
    self._fired = outcome.fired
    if outcome.reward.any():
      self._rewards[np.arange(len(trial)), trial] += outcome.reward
    self._dropped += outcome.dropped
    changed = outcome.changed.any(axis=1)
    if changed.any():
      env, slot = np.nonzero(outcome.changed)
      types = np.asarray(self.session.slot_types)
      self.physics.set_slots(
        env, slot, types[env, slot], outcome.object_pos[env, slot]
      )
    if changed.any() or starts.env_ids.size:
      shown = self._renew(starts, changed, sees)
    return self._shown(shown)

  def look_around(self) -> None:
    """Takes the state of physics."""
    self._state = state = self.physics.shared_state()
    self._poses = avatar.Poses(
      state.object_pos, state.player_pos, state.player_yaw, state.touching
    )

  def _sight(self, pitch: jax.Array, only: np.ndarray | None) -> np.ndarray:
    """Who sees whom, bool [N, P+S, P+S], as far as players and tasks ask.

    Args:
      pitch: Of the views, float32 [N, P].
      only: Environments to look at, bool [N]; None for all.
    """
    tasks, types = self.rows.device, self.session.slot_types
    look, self._poses = stages.look(
      types, self._poses, pitch, tasks.see_literals, tasks.room
    )
    sources, centres, sees, pairs = map(np.asarray, look)
    if only is not None:
      pairs = pairs & only[:, None, None]
    if not pairs.any():
      return sees
    lines = sight.segments(sources, centres, pairs)
    hits = self.physics.rays(
      lines.origins, lines.directions, lines.exclude, env_ids=lines.env_ids
    )
    return sees | sight.unblocked(lines, hits, pairs.shape)

  def _renew(
    self, starts: Starts, changed: np.ndarray, sees: np.ndarray | None
  ) -> stages.Shown:
    """Starts trials and episodes, and observes what is new.

    Args:
      starts: What starts anew.
      changed: Where objects came or went, bool [N].
      sees: Who sees whom elsewhere, bool [N, P+S, P+S]; None if all is new.
    """
    if starts.tasks:
      ids = np.flatnonzero(starts.episode)
      self.rows.load(ids, starts.tasks)
      self.physics.load(ids, [task.scene for task in starts.tasks])
      self._rewards[ids] = 0
      self._dropped[ids] = 0
    if starts.env_ids.size:
      self.session = stages.restart(
        self.rows.device, self.session, starts.next_trial, starts.episode
      )
      self.physics.restore(starts.env_ids, starts.yaw)
    self.look_around()
    anew = starts.next_trial | starts.episode | changed
    new = self._sight(self.session.pitch, anew)
    if sees is not None:
      new = np.where(anew[:, None, None], new, sees)
    self.session, shown = stages.observe(
      self.rows.device, self.session, self._poses, new, self._size
    )
    return shown

  def _shown(self, shown: stages.Shown) -> Shown:
    observation, rays = shown
    if rays:
      observation = observation | {"pixels": self._draw(*rays)}
    return Shown(
      {name: np.asarray(x) for name, x in observation.items()},
      np.array(self.session.last_reward),
    )

  def _draw(self, origins: jax.Array, directions: jax.Array) -> jax.Array:
    """The players' pictures, uint8 [N, P, H, W, 3], along these rays."""
    size = self._config.pixels
    eyes = np.arange(self._config.num_players, dtype=np.int32)
    eyes = np.repeat(eyes, size[0] * size[1])
    hits = self.physics.rays(
      np.asarray(origins),
      np.asarray(directions),
      np.broadcast_to(eyes, origins.shape[:2]),
      normals=True,
    )
    moment = session_lib.moment(self.session, self._poses)
    return stages.draw(moment, origins, directions, tuple(hits), size)

  def state(self) -> base.PhysicsState:
    """Where everything is."""
    return base.PhysicsState(*map(np.asarray, self._state))

  def trial_rewards(self) -> np.ndarray:
    """Seconds in each trial of the episode."""
    return self._rewards

  def fired(self) -> np.ndarray:
    """Rules that fired in the last step."""
    return self._fired

  def dropped_spawns(self) -> np.ndarray:
    """Spawns lost in the episode."""
    return self._dropped

  def save(self) -> dict[str, Any]:
    """Returns copies of its arrays."""
    return {
      "session": [np.array(x) for x in jax.tree.leaves(self.session)],
      "trial_rewards": self._rewards.copy(),
      "fired": self._fired.copy(),
      "dropped_spawns": self._dropped.copy(),
    }

  def load(self, saved: dict[str, Any]) -> None:
    """Takes up what `save` returned; rows and physics are loaded before."""
    self.session = jax.tree.unflatten(
      jax.tree.structure(self.session),
      [jax.numpy.asarray(x) for x in saved["session"]],
    )
    self._rewards[:] = saved["trial_rewards"]
    self._fired = saved["fired"]
    self._dropped[:] = saved["dropped_spawns"]
    self.look_around()
