"""Configuration of `Land` and what it gives."""

import dataclasses
from typing import NamedTuple

import numpy as np

from adaland.envs import constants
from adaland.envs.observations import observations
from adaland.envs.physics import backends

OBSERVATIONS = ("entities", "pixels")


@dataclasses.dataclass(frozen=True)
class LandConfig:
  """Sizes of a batch of environments and what is observed.

  Attributes:
    num_slots: Objects that a world can hold at once, up to MAX_OBJECTS.
    num_players: Players in every task, 1 or 2.
    observation: "entities" or "pixels".
    pixels: Width and height of the pictures.
    max_rules: Most rules that a task may have.
    num_threads: Physics threads; None for one per processor.
    backend: Physics back end: "cpu", or "gpu" for `mujoco_warp`.
    device: Where the gpu back end runs: "cuda", or "cpu" to try it out.
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
    def check(name: str, value: int, last: int) -> None:
      if not 1 <= value <= last:
        raise ValueError(f"{name} is {value}, allowed: 1 to {last}")

    check("num_slots", self.num_slots, constants.MAX_OBJECTS)
    check("num_players", self.num_players, constants.MAX_PLAYERS)
    check("max_rules", self.max_rules, constants.MAX_RULES)
    if self.observation not in OBSERVATIONS:
      raise ValueError(
        f"observation is {self.observation!r}, allowed: "
        f"{', '.join(OBSERVATIONS)}"
      )
    if len(self.pixels) != 2:
      raise ValueError(f"pixels is {self.pixels}, allowed: width and height")
    for name, size in zip(("width", "height"), self.pixels, strict=True):
      check(f"pixels' {name}", size, 1024)
    if self.num_threads is not None:
      check("num_threads", self.num_threads, 1024)
    for name, value, allowed in (
      ("backend", self.backend, backends.BACKENDS),
      ("device", self.device, backends.DEVICES),
    ):
      if value not in allowed:
        raise ValueError(f"{name} is {value!r}, allowed: {', '.join(allowed)}")

  def on_cpu(self) -> "LandConfig":
    """The same on the cpu back end, where scores repeat bit for bit."""
    return dataclasses.replace(self, backend="cpu")


def observation_spec(config: LandConfig) -> observations.Spec:
  """Shape and type of each observation, without the batch dimension."""
  return observations.spec(
    config.observation,
    config.num_slots,
    config.num_players,
    config.max_rules,
    config.pixels,
  )


class Step(NamedTuple):
  """What a batch of environments gives each time; with two players, rewards
  and observations are [N, P, ...]. On the gpu back end these two are JAX
  arrays, which may still be computed; the rest is known on the host.

  Attributes:
    observation: Named arrays, [N, ...]; after an episode's last action those
      of its end, after a trial's last action those of the next trial's start.
    reward: Seconds of goal satisfaction in this step, float32 [N].
    first: Whether an episode starts here: the action was ignored, bool [N].
    last: Whether the episode ended with this step, bool [N].
    trial_last: Whether a trial ended with this step, bool [N].
    discount: 0 where `last`, else 1, float32 [N].
  """

  observation: dict[str, np.ndarray]
  reward: np.ndarray
  first: np.ndarray
  last: np.ndarray
  trial_last: np.ndarray
  discount: np.ndarray


class WorldView(NamedTuple):
  """The truth about one environment, for the expert and for videos.

  Attributes:
    slot_types: Type ids in the slots, 0 empty, int32 [S].
    frozen: Objects that never move, bool [S].
    object_pos: Their centres, float32 [S, 3].
    object_quat: Their orientations (w, x, y, z), float32 [S, 4].
    held: Slot that each player holds, -1 none, int32 [P].
    hand_distance: Metres from the eye, 0 for empty hands, float32 [P].
    player_pos: Players' feet, float32 [P, 3].
    yaw: Their heading, float32 [P].
    pitch: Their pitch, float32 [P].
    visible: Nodes that each player sees, bool [P, P+S].
    trial: Trial under way, from 0.
    step: Steps taken in it.
    heights: Level of each tile, int [X, Y].
    ramps: Direction in which each climbs (see `physics.base.Scene`), [X, Y].
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
