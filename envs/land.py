"""Land: a batch of environments, each playing one task after another.

One step: actions become wanted movement and hand positions (`avatar`,
`hand`), physics moves everything, the game engine (`game`) reads the outcome
and changes objects, trials and episodes start anew where they ended, and the
players look (`vision`, `observations`). Every part works on the whole batch;
environments are handled one by one only when their task or trial changes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from envs import avatar, constants, sight, stages, task_rows
from envs import clock as clock_lib
from envs import session as session_lib
from envs.land_types import LandConfig, Step, WorldView, observation_spec
from envs.physics import backends, base
from envs.task import Task

__all__ = ["Land", "LandConfig", "Step", "WorldView", "observation_spec"]

_HEADS = len(constants.ACTION_SIZES)


class Land:
  """Steps N environments at once; a new task follows each episode by itself.

  Equal seeds, tasks and actions give bit-equal rollouts at any number of
  threads. A trial's start is the task's start state; only the avatars' yaw
  is drawn anew, from the environment's seed, the task and the trial's number.

  Attributes:
    num_envs: N.
    config: Sizes and the kind of observation.
    tasks: The task of each environment.
    seeds: The seed of each environment.
    dropped_spawns: Objects that rules should have made in this episode but
      for which no slot was free, int64 [N].
    physics: The back end, for measurements and tests.
  """

  def __init__(
    self,
    num_envs: int,
    config: LandConfig,
    next_task: Callable[[int], Task],
    seed: int | Sequence[int] = 0,
  ):
    """Initializes the batch; `reset` loads the first tasks.

    Args:
      num_envs: N.
      config: Sizes and the kind of observation.
      next_task: Gives the next task of environment i.
      seed: Of each environment; one number s stands for s, s + 1, ...
    """
    if num_envs < 1:
      raise ValueError(f"num_envs is {num_envs}, allowed: 1 or more")
    self.num_envs = num_envs
    self.seed(seed)
    self.config = config
    self.tasks: list[Task] = []
    self._next_task = next_task
    n, s, p = num_envs, config.num_slots, config.num_players
    self.physics: base.Physics = backends.make(
      config.backend, n, s, p, config.num_threads, config.device
    )
    # Whether what the players see, and what that is made from, stays with JAX
    # on the device of the physics.
    self._stays = config.backend == "gpu"
    self.dropped_spawns = np.zeros(n, np.int64)
    self._rows = task_rows.TaskRows(n, config)
    self._session = session_lib.empty(n, p, s)
    self._size = config.pixels if config.observation == "pixels" else None
    self._trial_rewards = np.zeros((n, constants.MAX_TRIALS, p))
    self._fired = np.zeros((n, config.max_rules), bool)
    self._none = np.zeros(n, bool)
    self._ended = self._none
    self._state: base.PhysicsState
    self._poses: avatar.Poses  # Those of the state.

  def seed(self, seed: int | Sequence[int]) -> None:
    """Gives the environments new seeds, which count from the next trial on.

    Args:
      seed: Of each environment; one number s stands for s, s + 1, ...
    """
    if isinstance(seed, int):
      seed = range(seed, seed + self.num_envs)
    if len(seed) != self.num_envs or min(seed) < 0:
      raise ValueError(
        f"seed is {seed}, allowed: {self.num_envs} whole numbers from 0"
      )
    self.seeds = tuple(seed)

  def reset(self) -> Step:
    """Starts a new episode in every environment."""
    everywhere = ~self._none
    self._ended = self._none
    self._fired = np.zeros_like(self._fired)
    shown = self._renew(self._none, everywhere, self._none, None)
    return self._step(shown, everywhere, self._none, self._none)

  def step(self, actions: np.ndarray) -> Step:
    """Takes one action in every environment.

    Where the step before was an episode's last, the action is ignored and
    the next task's episode starts.

    Args:
      actions: Indices of the six heads, int [N, 6], or [N, P, 6].
    """
    actions = self._checked(actions)
    starting, trial = self._ended, np.asarray(self._session.clock.trial)
    wanted, hand, pitch = stages.control(self._session, self._poses, actions)
    self.physics.step(base.AvatarControl(*map(self._for_physics, wanted)))
    self._look_around()
    sees = self._sight(pitch, None)
    self._session, outcome, shown = stages.finish(
      self._rows.device,
      self._session,
      hand,
      pitch,
      self._poses,
      sees,
      actions,
      starting,
      self._size,
    )
    outcome = stages.Outcome(*map(np.asarray, outcome))
    self._fired, self._ended = outcome.fired, outcome.last
    if outcome.reward.any():
      rows = np.arange(self.num_envs)
      self._trial_rewards[rows, trial] += outcome.reward
    self.dropped_spawns += outcome.dropped
    changed = outcome.changed.any(axis=1)
    if changed.any():
      self._change_objects(outcome)
    if (changed | outcome.next_trial | starting).any():
      shown = self._renew(outcome.next_trial, starting, changed, sees)
    return self._step(shown, starting, outcome.last, outcome.trial_last)

  def state_view(self, env: int) -> WorldView:
    """The whole truth about one environment now."""
    session, game = jax.tree.map(np.asarray, self._session), self._rows.game
    state = base.PhysicsState(*map(np.asarray, self._state))
    x, y = game.tiles[env]
    return WorldView(
      slot_types=session.slot_types[env].copy(),
      frozen=session.frozen[env].copy(),
      object_pos=state.object_pos[env].copy(),
      object_quat=state.object_quat[env].copy(),
      held=session.hand.held[env].copy(),
      hand_distance=session.hand.distance[env].copy(),
      player_pos=state.player_pos[env].copy(),
      yaw=state.player_yaw[env].copy(),
      pitch=session.pitch[env].copy(),
      visible=session.visible[env].copy(),
      trial=int(session.clock.trial[env]),
      step=int(session.clock.step[env]),
      heights=game.heights[env, :x, :y].copy(),
      ramps=game.ramps[env, :x, :y].copy(),
      trial_rewards=self._trial_rewards[env, : self.tasks[env].trials].copy(),
      fired=self._fired[env].copy(),
    )

  def _checked(self, actions: np.ndarray) -> np.ndarray:
    shape = (self.num_envs, self.config.num_players, _HEADS)
    actions = np.asarray(actions, np.int32)
    if actions.shape == (self.num_envs, _HEADS) and shape[1] == 1:
      actions = actions[:, None]
    if actions.shape != shape:
      raise ValueError(f"actions have shape {actions.shape}, allowed: {shape}")
    if (actions < 0).any() or (actions >= constants.ACTION_SIZES).any():
      raise ValueError(
        "actions are out of range, allowed: from 0 to below "
        f"{constants.ACTION_SIZES}"
      )
    return actions

  def _for_physics(self, array: jax.Array) -> Any:
    """An array from JAX as the back end wants it."""
    return array if self._stays else np.asarray(array)

  def _look_around(self) -> None:
    """Takes the state of physics."""
    self._state = state = self.physics.shared_state()
    self._poses = avatar.Poses(
      state.object_pos, state.player_pos, state.player_yaw, state.touching
    )

  def _sight(self, pitch: jax.Array, only: np.ndarray | None) -> Any:
    """Who sees whom, bool [N, P+S, P+S], as far as players and tasks ask.

    Args:
      pitch: Of the views, float32 [N, P].
      only: Environments to look at, bool [N]; None for all.
    """
    tasks, types = self._rows.device, self._session.slot_types
    look, self._poses = stages.look(
      types, self._poses, pitch, tasks.see_literals, tasks.room
    )
    if self._stays:
      sources, centres, sees, pairs = look
      lines = sight.all_lines(sources, centres)
      hits = self.physics.rays(lines.origins, lines.directions, lines.exclude)
      return sees | sight.free(lines, hits, pairs)
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

  def _change_objects(self, outcome: stages.Outcome) -> None:
    """Tells physics which objects came and went."""
    env, slot = np.nonzero(outcome.changed)
    types = np.asarray(self._session.slot_types)
    self.physics.set_slots(
      env, slot, types[env, slot], outcome.object_pos[env, slot]
    )

  def _renew(
    self,
    next_trial: np.ndarray,
    starting: np.ndarray,
    changed: np.ndarray,
    sees: Any,
  ) -> stages.Shown:
    """Starts trials and episodes, and observes what is new.

    Args:
      next_trial: Where another trial starts, bool [N].
      starting: Where an episode starts, bool [N].
      changed: Where objects came or went, bool [N].
      sees: Who sees whom elsewhere, bool [N, P+S, P+S]; None if all is new.
    """
    if starting.any():
      self._load(np.flatnonzero(starting))
    again = next_trial | starting
    if again.any():
      self._session = stages.restart(
        self._rows.device, self._session, next_trial, starting
      )
      self._restore(np.flatnonzero(again))
    self._look_around()
    anew = again | changed
    new = self._sight(self._session.pitch, anew)
    if sees is not None:
      where = jnp.where if self._stays else np.where
      new = where(anew[:, None, None], new, sees)
    self._session, shown = stages.observe(
      self._rows.device, self._session, self._poses, new, self._size
    )
    return shown

  def _load(self, env_ids: np.ndarray) -> None:
    """Puts new tasks into environments."""
    if not self.tasks:
      self.tasks = [self._next_task(i) for i in range(self.num_envs)]
    else:
      for i in env_ids:
        self.tasks[i] = self._next_task(int(i))
    self.physics.load(env_ids, self._rows.load(env_ids, self.tasks))
    self._trial_rewards[env_ids] = 0
    self.dropped_spawns[env_ids] = 0

  def _restore(self, env_ids: np.ndarray) -> None:
    """Puts worlds back to their start state, with new yaws."""
    trial = np.asarray(self._session.clock.trial)
    num_players = self.config.num_players
    yaw = [
      clock_lib.start_yaw(
        self.seeds[i], self._rows.keys[i], int(trial[i]), num_players
      )
      for i in env_ids
    ]
    self.physics.restore(env_ids, np.stack(yaw))

  def _draw(self, origins: jax.Array, directions: jax.Array) -> jax.Array:
    """The players' pictures, uint8 [N, P, H, W, 3], along these rays."""
    size, num_players = self.config.pixels, self.config.num_players
    eyes = np.arange(num_players, dtype=np.int32)
    eyes = np.broadcast_to(
      np.repeat(eyes, size[0] * size[1]), origins.shape[:2]
    )
    hits = self.physics.rays(
      self._for_physics(origins),
      self._for_physics(directions),
      eyes,
      normals=True,
    )
    moment = session_lib.moment(self._session, self._poses)
    return stages.draw(moment, origins, directions, tuple(hits), size)

  def _step(
    self,
    shown: stages.Shown,
    first: np.ndarray,
    last: np.ndarray,
    trial_last: np.ndarray,
  ) -> Step:
    observation, rays = shown
    if rays:
      observation = observation | {"pixels": self._draw(*rays)}
    if not self._stays:
      observation = {name: np.asarray(x) for name, x in observation.items()}
    observation = observation | self._rows.shown
    reward = self._session.last_reward
    if not self._stays:
      reward = np.array(reward)
    if self.config.num_players == 1:
      observation = {name: x[:, 0] for name, x in observation.items()}
      reward = reward[:, 0]
    return Step(
      observation=observation,
      reward=reward,
      first=first,
      last=last,
      trial_last=trial_last,
      discount=np.where(last, np.float32(0), np.float32(1)),
    )
