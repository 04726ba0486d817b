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
import numpy as np

from envs import (
  avatar,
  constants,
  observations,
  sight,
  stages,
  task_arrays,
  worlds,
)
from envs import clock as clock_lib
from envs import game as game_lib
from envs import hand as hand_lib
from envs.land_types import LandConfig, Step, WorldView, observation_spec
from envs.physics import base, cpu
from envs.task import Task

__all__ = ["Land", "LandConfig", "Step", "WorldView", "observation_spec"]

_TOUCHING = constants.PREDICATES.index("touching") + 1
_SEE = constants.PREDICATES.index("see") + 1
_HEADS = len(constants.ACTION_SIZES)


def _writable(tree: Any) -> Any:
  """The same arrays in NumPy, owned and writable."""
  return jax.tree.map(np.array, tree)


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
    self.physics: base.Physics = cpu.CpuPhysics(
      n, s, num_players=p, num_threads=config.num_threads
    )
    self.dropped_spawns = np.zeros(n, np.int64)
    tiles = (n, constants.MAX_TILES, constants.MAX_TILES)
    self._game = game_lib.Game(
      goal=np.zeros((n, p, constants.LITERAL_WIDTH), np.int32),
      rules=np.zeros((n, config.max_rules, constants.RULE_WIDTH), np.int32),
      heights=np.zeros(tiles, np.int32),
      ramps=np.zeros(tiles, np.int32),
      tiles=np.ones((n, 2), np.int32),
    )
    self._seen_rules = np.zeros(
      (n, p, config.max_rules, constants.RULE_WIDTH), np.int32
    )
    self._see_literals = np.zeros((n, p + config.max_rules, 2), np.int32)
    self._start_types = np.zeros((n, s), np.int32)
    self._start_frozen = np.zeros((n, s), bool)
    self._task_keys = [0] * n
    self._slot_types = np.zeros((n, s), np.int32)
    self._frozen = np.zeros((n, s), bool)
    self._hand = hand_lib.Hand(
      held=np.full((n, p), -1, np.int32),
      distance=np.zeros((n, p), np.float32),
      offset=np.zeros((n, p, 3), np.float32),
      ready=np.ones((n, p), bool),
    )
    self._lag = np.zeros((n, p), np.float32)
    self._pitch = np.zeros((n, p), np.float32)
    self._clock = clock_lib.Clock(*np.ones((4, n), np.int32))
    self._last_action = np.full((n, p, _HEADS), -1, np.int32)
    self._last_reward = np.zeros((n, p), np.float32)
    self._trial_rewards = np.zeros((n, constants.MAX_TRIALS, p))
    self._fired = np.zeros((n, config.max_rules), bool)
    self._visible = np.zeros((n, p, p + s), bool)
    self._ended = np.zeros(n, bool)
    self._state: base.PhysicsState

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
    if not self.tasks:
      self.tasks = [self._next_task(i) for i in range(self.num_envs)]
      self._load(np.arange(self.num_envs))
    else:
      self._start_episodes(np.arange(self.num_envs))
    self._state = self.physics.state()
    sees = self._sight(self._pitch)
    self._visible = sees[:, : self.config.num_players]
    none = np.zeros(self.num_envs, bool)
    self._ended = none
    return self._step(~none, none, none)

  def step(self, actions: np.ndarray) -> Step:
    """Takes one action in every environment.

    Where the step before was an episode's last, the action is ignored and
    the next task's episode starts.

    Args:
      actions: Indices of the six heads, int [N, 6], or [N, P, 6].
    """
    actions = self._checked(actions)
    starting = self._ended
    velocity, turn, at, hand, pitch = stages.control(
      actions,
      self._hand,
      self._pitch,
      self._poses(),
      self._visible,
      ~self._frozen & (self._slot_types > 0),
    )
    self.physics.step(
      base.AvatarControl(*map(np.asarray, (velocity, turn, hand.held, at)))
    )
    self._state = self.physics.state()
    sees = self._sight(pitch)
    events = stages.advance(
      self._game,
      self._slot_types,
      hand,
      pitch,
      self._clock,
      self._poses(),
      sees,
    )
    trial_last = np.asarray(events.trial_last) & ~starting
    last = np.asarray(events.last) & ~starting
    changed = self._take(_writable(events), np.array(pitch), actions, starting)
    next_trials = trial_last & ~last
    if next_trials.any():
      self._start_trials(np.flatnonzero(next_trials))
    if starting.any():
      self._start_episodes(np.flatnonzero(starting))
    anew = changed | next_trials | starting
    if anew.any():
      self._state = self.physics.state()
      sees[anew] = self._sight(self._pitch, anew)[anew]
    self._visible = sees[:, : self.config.num_players]
    self._ended = last
    return self._step(starting, last, trial_last)

  def state_view(self, env: int) -> WorldView:
    """The whole truth about one environment now."""
    x, y = self._game.tiles[env]
    return WorldView(
      slot_types=self._slot_types[env].copy(),
      frozen=self._frozen[env].copy(),
      object_pos=self._state.object_pos[env].copy(),
      object_quat=self._state.object_quat[env].copy(),
      held=self._hand.held[env].copy(),
      hand_distance=self._hand.distance[env].copy(),
      player_pos=self._state.player_pos[env].copy(),
      yaw=self._state.player_yaw[env].copy(),
      pitch=self._pitch[env].copy(),
      visible=self._visible[env].copy(),
      trial=int(self._clock.trial[env]),
      step=int(self._clock.step[env]),
      heights=self._game.heights[env, :x, :y].copy(),
      ramps=self._game.ramps[env, :x, :y].copy(),
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

  def _poses(self) -> avatar.Poses:
    state = self._state
    return avatar.Poses(
      state.object_pos, state.player_pos, state.player_yaw, state.touching
    )

  def _moment(self) -> observations.Moment:
    return observations.Moment(
      slot_types=self._slot_types,
      poses=self._poses(),
      hand=self._hand,
      lag=self._lag,
      pitch=self._pitch,
      clock=self._clock,
      last_action=self._last_action,
      last_reward=self._last_reward,
    )

  def _sight(self, pitch: Any, only: np.ndarray | None = None) -> np.ndarray:
    """Who sees whom, bool [N, P+S, P+S], as far as players and tasks ask.

    Args:
      pitch: Of the views, float32 [N, P].
      only: Environments to look at, bool [N]; None for all.
    """
    sources, centres, pairs = map(
      np.asarray,
      stages.look(self._slot_types, self._poses(), pitch, self._see_literals),
    )
    if only is not None:
      pairs = pairs & only[:, None, None]
    if not pairs.any():
      return np.zeros(pairs.shape, bool)
    lines = sight.segments(sources, centres, pairs)
    hits = self.physics.rays(lines.origins, lines.directions, lines.exclude)
    return sight.unblocked(lines, hits, pairs.shape)

  def _take(
    self,
    events: game_lib.Events,
    pitch: np.ndarray,
    actions: np.ndarray,
    starting: np.ndarray,
  ) -> np.ndarray:
    """Makes a step's outcome the present, and tells physics of new objects.

    Returns:
      Environments in which objects came or went, bool [N].
    """
    clock = self._clock
    self._trial_rewards[np.arange(self.num_envs), clock.trial] += events.reward
    changed = events.changed & ~starting[:, None]
    if changed.any():
      env, slot = np.nonzero(changed)
      self.physics.set_slots(
        env, slot, events.slot_types[env, slot], events.object_pos[env, slot]
      )
    self._slot_types, self._hand = events.slot_types, events.hand
    self._frozen = self._frozen & ~changed
    self._lag, self._clock, self._pitch = events.lag, events.clock, pitch
    self._fired = events.fired
    self.dropped_spawns += events.dropped
    self._last_action = actions.copy()
    self._last_reward = events.reward
    return changed.any(axis=1)

  def _start_episodes(self, env_ids: np.ndarray) -> None:
    for i in env_ids:
      self.tasks[i] = self._next_task(int(i))
    self._load(env_ids)

  def _load(self, env_ids: np.ndarray) -> None:
    """Puts tasks into environments, at the start of their first trial."""
    config, game = self.config, self._game
    scenes = []
    for i in env_ids:
      task = self.tasks[i]
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
      self._see_literals[i] = pairs * (literals[:, 1:2] == _SEE)
      touching = np.asarray((literals[:, 1] == _TOUCHING).any())
      scenes.append(scene._replace(contacts=touching))
      x, y = scene.heights.shape
      game.heights[i], game.ramps[i], game.tiles[i] = 0, 0, (x, y)
      game.heights[i, :x, :y] = scene.heights
      game.ramps[i, :x, :y] = scene.ramps
      self._start_types[i] = scene.slot_types
      self._start_frozen[i] = scene.slot_frozen
      self._task_keys[i] = clock_lib.task_key(task)
      self._clock.trials[i] = arrays.trials
      self._clock.trial_steps[i] = arrays.trial_steps
    self._clock.trial[env_ids] = 0
    self._clock.step[env_ids] = 0
    self._last_action[env_ids] = -1
    self._last_reward[env_ids] = 0
    self._trial_rewards[env_ids] = 0
    self.dropped_spawns[env_ids] = 0
    self._fired[env_ids] = False
    self.physics.load(env_ids, scenes)
    self._start_trials(env_ids)

  def _start_trials(self, env_ids: np.ndarray) -> None:
    """Puts environments back to their start state, with new yaws."""
    self._slot_types[env_ids] = self._start_types[env_ids]
    self._frozen[env_ids] = self._start_frozen[env_ids]
    hand = self._hand
    hand.held[env_ids], hand.ready[env_ids] = -1, True
    hand.distance[env_ids], hand.offset[env_ids] = 0, 0
    self._lag[env_ids] = 0
    self._pitch[env_ids] = constants.START_PITCH
    yaw = [
      clock_lib.start_yaw(
        self.seeds[i],
        self._task_keys[i],
        int(self._clock.trial[i]),
        self.config.num_players,
      )
      for i in env_ids
    ]
    self.physics.restore(env_ids, np.stack(yaw))

  def _observe(self) -> dict[str, np.ndarray]:
    moment = self._moment()
    if self.config.observation == "entities":
      seen = stages.observe_entities(moment, self._game, self._visible)
    else:
      size = self.config.pixels
      origins, directions = map(
        np.asarray, stages.pixel_rays(moment.poses, moment.pitch, size)
      )
      num_players = self.config.num_players
      eyes = np.repeat(
        np.arange(num_players, dtype=np.int32), size[0] * size[1]
      )
      eyes = np.broadcast_to(eyes, origins.shape[:2])
      hits = self.physics.rays(origins, directions, eyes, normals=True)
      seen = stages.observe_pixels(
        moment, origins, directions, tuple(hits), size
      )
    seen = {name: np.asarray(value) for name, value in seen.items()}
    return seen | {
      "goal": self._game.goal.copy(),
      "rules": self._seen_rules.copy(),
    }

  def _step(
    self, first: np.ndarray, last: np.ndarray, trial_last: np.ndarray
  ) -> Step:
    observation, reward = self._observe(), self._last_reward.copy()
    if self.config.num_players == 1:
      observation = {name: x[:, 0] for name, x in observation.items()}
      reward = reward[:, 0]
    return Step(
      observation=observation,
      reward=reward,
      first=first,
      last=last,
      trial_last=trial_last,
      discount=np.where(last, 0, 1).astype(np.float32),
    )
