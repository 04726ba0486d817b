"""Stepper of environments whose physics runs on the host.

Results are read immediately, so that work is skipped where nothing happened.

N: environments, P: players, S: slots.
"""

from typing import Any

import jax
import numpy as np

from adaland.envs import constants, land_types
from adaland.envs.game import avatar
from adaland.envs.observations import sight
from adaland.envs.physics import base
from adaland.envs.stepping import env_state, stages, task_rows
from adaland.envs.stepping.base import Observed, ResetPlan


class HostStepper:
  """A `stepping.base.Stepper`, which documents attributes and arguments."""

  def __init__(
    self, num_envs: int, config: land_types.LandConfig, physics: base.Physics
  ):
    n, p = num_envs, config.num_players
    self._config = config
    self._size = config.pixels if config.observation == "pixels" else None
    self.rows = task_rows.TaskRows(n, config)
    self.physics = physics
    self.state = env_state.empty(n, p, config.num_slots)
    self._rewards = np.zeros((n, constants.MAX_TRIALS, p))
    self._fired = np.zeros((n, config.max_rules), bool)
    self._dropped = np.zeros(n, np.int64)
    self._physics_state: base.PhysicsState
    self._poses: avatar.Poses  # The poses of `_physics_state`.

  def reset(self, plan: ResetPlan) -> Observed:
    """Starts an episode in every environment."""
    self._fired = np.zeros_like(self._fired)
    none = np.zeros_like(plan.episode)
    return self._observed(*self._renew(plan, none, None))

  def step(
    self, actions: np.ndarray, trial: np.ndarray, plan: ResetPlan
  ) -> Observed:
    """Takes one action in each environment in which no episode starts."""
    controls, hand, pitch = stages.control(
      self.rows.device, self.state, self._poses, actions
    )
    self.physics.step(base.AvatarControl(*map(np.asarray, controls)))
    self._read_physics()
    sees = self._visibility(pitch, None)
    self.state, outcome, observation, rays = stages.finish(
      self.rows.device,
      self.state,
      hand,
      pitch,
      self._poses,
      sees,
      actions,
      plan.episode,
      self._size,
    )
    # Read only what may matter: reading an array takes 5 microseconds.
    reward, self._fired = np.asarray(outcome.reward), np.asarray(outcome.fired)
    if reward.any():
      self._rewards[np.arange(len(trial)), trial] += reward
    changed = np.zeros(len(trial), bool)
    if self._fired.any():
      self._dropped += np.asarray(outcome.dropped)
      env, slot = np.nonzero(np.asarray(outcome.changed))
      changed[env] = True
      types, at = map(np.asarray, (self.state.slot_types, outcome.object_pos))
      if env.size:
        self.physics.set_slots(env, slot, types[env, slot], at[env, slot])
    if changed.any() or plan.env_ids.size:
      observation, rays = self._renew(plan, changed, sees)
    return self._observed(observation, rays)

  def _read_physics(self) -> None:
    """Reads the physics state."""
    self._physics_state = state = self.physics.shared_state()
    self._poses = avatar.Poses(
      state.object_pos, state.player_pos, state.player_yaw, state.touching
    )

  def _visibility(
    self, pitch: jax.Array, only: np.ndarray | None
  ) -> np.ndarray:
    """Computes visibility as far as players and tasks need it.

    Args:
      pitch: Pitch of the views, radians, float32 [N, P].
      only: Environments to test, bool [N]; None for all.

    Returns:
      Visibility: node i sees node j, bool [N, P+S, P+S].
    """
    tasks, types = self.rows.device, self.state.slot_types
    lines, self._poses = stages.sight_lines(
      types, self._poses, pitch, tasks.see_literals, tasks.room
    )
    sources, centres, sees, pairs = map(np.asarray, lines)
    if only is not None:
      pairs = pairs & only[:, None, None]
    if not pairs.any():
      return sees
    tested = sight.segments(sources, centres, pairs)
    hits = self.physics.rays(
      tested.origins, tested.directions, tested.exclude, env_ids=tested.env_ids
    )
    sees = sees.copy()
    sees[tested.env, tested.source, tested.target] = sight.unblocked(
      tested, hits
    )
    return sees

  def _renew(
    self, plan: ResetPlan, changed: np.ndarray, sees: np.ndarray | None
  ) -> tuple[dict[str, Any], stages.RayRequest | None]:
    """Starts trials and episodes, and observes the scenes that are new.

    Args:
      plan: Trials and episodes that start.
      changed: Environments in which objects appeared or vanished, bool [N].
      sees: Visibility in the other environments, bool [N, P+S, P+S]; None if
        all scenes are new.
    """
    if plan.tasks:
      ids = np.flatnonzero(plan.episode)
      self.rows.load(ids, plan.tasks)
      self.physics.load(ids, [task.scene for task in plan.tasks])
      self._rewards[ids] = 0
      self._dropped[ids] = 0
    if plan.env_ids.size:
      self.state = stages.restart(
        self.rows.device, self.state, plan.next_trial, plan.episode
      )
      self.physics.restore(plan.env_ids, plan.yaw)
    self._read_physics()
    renewed = plan.next_trial | plan.episode | changed
    found = self._visibility(self.state.pitch, renewed)
    if sees is not None:
      found = np.where(renewed[:, None, None], found, sees)
    self.state, observation, rays = stages.observe(
      self.rows.device, self.state, self._poses, found, self._size
    )
    return observation, rays

  def _observed(
    self, observation: dict[str, Any], rays: stages.RayRequest | None
  ) -> Observed:
    """Returns NumPy copies, which the caller may write to."""
    if rays is not None:
      observation = observation | {"pixels": self._draw(rays)}
    return Observed(
      {name: np.array(value) for name, value in observation.items()},
      np.array(self.state.last_reward),
    )

  def _draw(self, rays: stages.RayRequest) -> jax.Array:
    """Draws the players' pictures, uint8 [N, P, H, W, 3]."""
    size = self._config.pixels
    eyes = np.arange(self._config.num_players, dtype=np.int32)
    eyes = np.repeat(eyes, size[0] * size[1])
    hits = self.physics.rays(
      np.asarray(rays.origins),
      np.asarray(rays.directions),
      np.broadcast_to(eyes, rays.origins.shape[:2]),
      normals=True,
    )
    scene = env_state.scene_state(self.state, self._poses)
    looks = self.rows.device.look
    return stages.draw(scene, *rays, tuple(hits), looks, size)

  def physics_state(self) -> base.PhysicsState:
    """Returns poses and contacts."""
    return base.PhysicsState(*map(np.asarray, self._physics_state))

  def trial_rewards(self) -> np.ndarray:
    """Returns the reward of each trial of the episode, seconds."""
    return self._rewards

  def fired(self) -> np.ndarray:
    """Returns the rules that fired in the last step."""
    return self._fired

  def dropped_spawns(self) -> np.ndarray:
    """Returns the spawns lost in the episode so far."""
    return self._dropped.copy()

  def save(self) -> dict[str, Any]:
    """Returns copies of the stepper's arrays, without rows and physics."""
    return {
      "session": [np.array(x) for x in jax.tree.leaves(self.state)],
      "trial_rewards": self._rewards.copy(),
      "fired": self._fired.copy(),
      "dropped_spawns": self._dropped.copy(),
    }

  def load(self, saved: dict[str, Any]) -> None:
    """Restores a state from `save`; rows and physics must be loaded before."""
    self.state = jax.tree.unflatten(
      jax.tree.structure(self.state),
      [jax.numpy.asarray(x) for x in saved["session"]],
    )
    self._rewards[:] = saved["trial_rewards"]
    self._fired = saved["fired"]
    self._dropped[:] = saved["dropped_spawns"]
    self._read_physics()
