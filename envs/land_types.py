"""The configuration of `Land`, its steps and its view of a world."""

import dataclasses
from typing import NamedTuple

import numpy as np

from adaland.envs import constants
from adaland.envs.observations import observations
from adaland.envs.physics import backends
from adaland.envs.tasks import checks

OBSERVATIONS = ("entities", "pixels")


@dataclasses.dataclass(frozen=True)
class LandConfig:
  """Sizes, observations and physics back end of a batch of environments.

  Attributes:
    num_slots: Number of objects that a world can hold at once, 1 to
      MAX_OBJECTS.
    num_players: Maximum number of players in a task, 1 or 2.
    observation: Kind of observation: "entities" or "pixels".
    pixels: Width and height of the pictures, 1 to 1024 each.
    max_rules: Maximum number of rules in a task, 1 to MAX_RULES.
    num_threads: Number of physics threads, 1 to 1024; None for one per
      processor.
    backend: Physics back end: "cpu", or "gpu" for `mujoco_warp`.
    device: Device of the gpu back end: "cuda", or "cpu" to try it out.
  """

  num_slots: int = 24
  num_players: int = 1
  observation: str = "entities"
  pixels: tuple[int, int] = (24, 18)
  max_rules: int = constants.MAX_RULES
  num_threads: int | None = None
  backend: str = "cpu"
  device: str = "cuda"

  def __post_init__(self):
    for name, last in (
      ("num_slots", constants.MAX_OBJECTS),
      ("num_players", constants.MAX_PLAYERS),
      ("max_rules", constants.MAX_RULES),
    ):
      checks.check_range(name, getattr(self, name), 1, last)
    if self.observation not in OBSERVATIONS:
      raise ValueError(
        f"observation is {self.observation!r}, allowed: "
        f"{', '.join(OBSERVATIONS)}"
      )
    if len(self.pixels) != 2:
      raise ValueError(f"pixels is {self.pixels}, allowed: width and height")
    for name, size in zip(("width", "height"), self.pixels, strict=True):
      checks.check_range(f"pixels' {name}", size, 1, 1024)
    # Compiled programs are looked up by size, which must be hashable.
    object.__setattr__(self, "pixels", tuple(self.pixels))
    if self.num_threads is not None:
      checks.check_range("num_threads", self.num_threads, 1, 1024)
    for name, value, allowed in (
      ("backend", self.backend, backends.BACKENDS),
      ("device", self.device, backends.DEVICES),
    ):
      if value not in allowed:
        raise ValueError(f"{name} is {value!r}, allowed: {', '.join(allowed)}")

  def on_cpu(self) -> "LandConfig":
    """Returns the same configuration with the bit-repeatable cpu back end."""
    return dataclasses.replace(self, backend="cpu")


def observation_spec(config: LandConfig) -> observations.Spec:
  """Returns shape and type of each observation, without the dimension N."""
  return observations.spec(
    config.observation,
    config.num_slots,
    config.num_players,
    config.max_rules,
    config.pixels,
  )


class Step(NamedTuple):
  """One step of a batch of environments.

  With two players, rewards and observations are [N, P, ...]. On the gpu back
  end these two are JAX arrays, possibly still being computed; the other arrays
  are NumPy's.

  Attributes:
    observation: Named arrays, [N, ...]. After the last action of a trial they
      show the start of the next trial; after the last action of an episode, the
      episode's end.
    reward: Seconds of goal satisfaction in this step, float32 [N].
    first: True where an episode starts and the action was ignored, bool [N].
    last: True where the episode ended with this step, bool [N].
    trial_last: True where a trial ended with this step, bool [N].
    discount: 0 where `last`, else 1, float32 [N].
  """

  observation: dict[str, np.ndarray]
  reward: np.ndarray
  first: np.ndarray
  last: np.ndarray
  trial_last: np.ndarray
  discount: np.ndarray


class BatchView(NamedTuple):
  """The true state of a batch, which lasts until the next step.

  Attributes:
    slot_types: Type ids in the slots, 0 for empty, int32 [N, S].
    frozen: Objects that never move, bool [N, S].
    object_pos: Objects' centres, metres, float32 [N, S, 3].
    object_quat: Objects' orientations (w, x, y, z), float32 [N, S, 4].
    held: Slot that each player holds, -1 for none, int32 [N, P].
    hand_distance: Distance of the hands from the eyes, metres, 0 for empty
      hands, float32 [N, P].
    player_pos: Players' feet, metres, float32 [N, P, 3].
    yaw: Players' headings, radians, float32 [N, P].
    pitch: Pitch of the players' views, radians, float32 [N, P].
    visible: Nodes that each player sees, bool [N, P, P+S].
    trial: Number of the current trial, from 0, int32 [N].
    step: Number of steps taken in the current trial, int32 [N].
    trials: Number of trials of the episode, int32 [N].
    tiles: Number of tiles of the arena along x and y, int32 [N, 2].
    heights, ramps: As in `WorldView`, padded, int32 [N, X, Y].
    trial_rewards: Reward of each trial so far, padded, seconds, float
      [N, trials, P].
    fired: Rules that fired in the last step, bool [N, R].
    last_action: The last action, -1 at the start of an episode, int32
      [N, P, 6].
    last_reward: The reward that followed it, float32 [N, P].
  """

  slot_types: np.ndarray
  frozen: np.ndarray
  object_pos: np.ndarray
  object_quat: np.ndarray
  held: np.ndarray
  hand_distance: np.ndarray
  player_pos: np.ndarray
  yaw: np.ndarray
  pitch: np.ndarray
  visible: np.ndarray
  trial: np.ndarray
  step: np.ndarray
  trials: np.ndarray
  tiles: np.ndarray
  heights: np.ndarray
  ramps: np.ndarray
  trial_rewards: np.ndarray
  fired: np.ndarray
  last_action: np.ndarray
  last_reward: np.ndarray

  def row(self, env: int) -> "WorldView":
    """Returns the state of one environment, as views of the same memory."""
    x, y = self.tiles[env]
    return WorldView(
      slot_types=self.slot_types[env],
      frozen=self.frozen[env],
      object_pos=self.object_pos[env],
      object_quat=self.object_quat[env],
      held=self.held[env],
      hand_distance=self.hand_distance[env],
      player_pos=self.player_pos[env],
      yaw=self.yaw[env],
      pitch=self.pitch[env],
      visible=self.visible[env],
      trial=int(self.trial[env]),
      step=int(self.step[env]),
      heights=self.heights[env, :x, :y],
      ramps=self.ramps[env, :x, :y],
      trial_rewards=self.trial_rewards[env, : self.trials[env]],
      fired=self.fired[env],
    )


class WorldView(NamedTuple):
  """The true state of one environment, for scripted players and videos.

  Attributes:
    slot_types: Type ids in the slots, 0 for empty, int32 [S].
    frozen: Objects that never move, bool [S].
    object_pos: Objects' centres, metres, float32 [S, 3].
    object_quat: Objects' orientations (w, x, y, z), float32 [S, 4].
    held: Slot that each player holds, -1 for none, int32 [P].
    hand_distance: Distance of the hands from the eyes, metres, 0 for empty
      hands, float32 [P].
    player_pos: Players' feet, metres, float32 [P, 3].
    yaw: Players' headings, radians, float32 [P].
    pitch: Pitch of the players' views, radians, float32 [P].
    visible: Nodes that each player sees, bool [P, P+S].
    trial: Number of the current trial, from 0.
    step: Number of steps taken in the current trial.
    heights: Level of each tile, int [X, Y].
    ramps: Ramps and diagonal cliffs (see `physics.base.Scene`), int
      [X, Y].
    trial_rewards: Reward of each trial so far, seconds, float [trials, P].
    fired: Rules that fired in the last step, bool [R].
  """

  slot_types: np.ndarray
  frozen: np.ndarray
  object_pos: np.ndarray
  object_quat: np.ndarray
  held: np.ndarray
  hand_distance: np.ndarray
  player_pos: np.ndarray
  yaw: np.ndarray
  pitch: np.ndarray
  visible: np.ndarray
  trial: int
  step: int
  heights: np.ndarray
  ramps: np.ndarray
  trial_rewards: np.ndarray
  fired: np.ndarray
