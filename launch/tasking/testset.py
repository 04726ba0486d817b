"""Test sets: held-out tasks by index, with the expert's rewards and actions.

AdA (arXiv 2301.07608) evaluates on 1,000 held-out tasks for one player and on
1,000 for two. A test set is a file, an npz archive without pickled objects: the
distribution, and for each index the experts' reward and the actions that earned
it, one number below 810 for the six heads of a step.
"""

import dataclasses
import io
import json
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from adaland.envs import constants, land_types
from adaland.envs.sampling import sampler
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks.task import Task
from adaland.launch import errors
from adaland.launch.evaluation import tasksets
from adaland.launch.tasking import witness

FORMAT = "adaland.testset/1"
_NAMES = ("format", "config", "tasks", "reward", "seed", "steps", "actions")
_MAX_BYTES = 4_000_000


class TestSet(NamedTuple):
  """Tasks of a distribution with a witness for each.

  Attributes:
    config: The distribution; the test set is its first held-out tasks.
    fingerprint: Hash of the tasks.
    witnesses: The experts' reward and actions for each task.
  """

  config: SamplerConfig
  fingerprint: str
  witnesses: list[witness.Witness]

  @property
  def num_players(self) -> int:
    """Number of players of the environments."""
    return 1 + (self.config.two_player_probability > 0)

  def tasks(self) -> list[Task]:
    """Returns the tasks.

    Raises:
      UserError: If the sampler draws others than those that were played.
    """
    drawn = _draw(self.config, len(self.witnesses))
    if tasksets.fingerprint(drawn) != self.fingerprint:
      raise errors.UserError(
        "the sampler draws other tasks than those of the test set; make it "
        "again with this version"
      )
    return drawn

  def env(self) -> land_types.LandConfig:
    """Returns the environments in which the tasks are played."""
    return _env(self.num_players)


def make(
  num_tasks: int,
  num_players: int,
  seed: int = 0,
  progress: Callable[[int, int], None] | None = None,
) -> TestSet:
  """Lets the experts play the first held-out tasks.

  Args:
    num_tasks: Number of tasks.
    num_players: 1 or 2.
    seed: Seed of the environments.
    progress: Called with the number of tasks played and of all tasks.
  """
  config = SamplerConfig(
    split="test", two_player_probability=float(num_players == 2)
  )
  tasks = _draw(config, num_tasks)
  found = witness.find(tasks, _env(num_players), seed, progress)
  return TestSet(config, tasksets.fingerprint(tasks), found)


def check(test_set: TestSet, indices: Sequence[int]) -> list[int]:
  """Replays witnesses; returns the indices whose reward is another."""
  tasks = test_set.tasks()
  return [
    i
    for i in indices
    if not math.isclose(
      witness.replay(tasks[i], test_set.witnesses[i], test_set.env()),
      test_set.witnesses[i].reward,
      abs_tol=1e-5,
    )
  ]


def summary(test_set: TestSet) -> dict[str, float]:
  """Returns the number of tasks, how many pay, and the mean shares paid."""
  shares = np.array(
    [
      found.reward / (len(found.actions) * constants.STEP_SECONDS)
      for found in test_set.witnesses
    ]
  )
  return {
    "num_tasks": len(shares),
    "num_players": test_set.num_players,
    "num_rewarded": int((shares > 0).sum()),
    "mean_reward_share": float(shares.mean()),
  }


def encode(test_set: TestSet) -> bytes:
  """Encodes a test set as the content of a file."""
  found = test_set.witnesses
  content = io.BytesIO()
  np.savez_compressed(
    content,
    format=np.array(FORMAT),
    config=np.array(json.dumps(dataclasses.asdict(test_set.config))),
    tasks=np.array(test_set.fingerprint),
    reward=np.array([each.reward for each in found], np.float64),
    seed=np.array([each.seed for each in found], np.int64),
    steps=np.array([len(each.actions) for each in found], np.int32),
    actions=_coded(np.concatenate([each.actions for each in found])),
  )
  return content.getvalue()


def load(path: str) -> TestSet:
  """Reads a test set.

  Raises:
    UserError: If the file can't be read or is no test set.
  """
  try:
    with open(path, "rb") as file:
      content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
      raise ValueError(f"larger than {_MAX_BYTES} bytes")
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
      arrays = {name: archive[name] for name in _NAMES}
    return _decode(arrays)
  except OSError as error:
    raise errors.UserError(f"{path}: {error.strerror}") from error
  except Exception as why:
    # Damaged bytes make zipfile, zlib and NumPy raise errors of many types.
    raise errors.UserError(f"{path}: not a test set: {why}") from why


def _decode(arrays: dict[str, np.ndarray]) -> TestSet:
  if str(arrays["format"]) != FORMAT:
    raise ValueError(f"format is {arrays['format']!s}, allowed: {FORMAT}")
  fields: dict[str, Any] = {
    name: tuple(value) if isinstance(value, list) else value
    for name, value in json.loads(str(arrays["config"])).items()
  }
  config = SamplerConfig(**fields)
  ends = np.cumsum(arrays["steps"])
  actions = _decoded(arrays["actions"])
  if len(ends) == 0 or ends[-1] != len(actions):
    raise ValueError("steps and actions differ in number")
  found = [
    witness.Witness(float(reward), int(seed), taken)
    for reward, seed, taken in zip(
      arrays["reward"],
      arrays["seed"],
      np.split(actions, ends[:-1]),
      strict=True,
    )
  ]
  return TestSet(config, str(arrays["tasks"]), found)


def _coded(actions: np.ndarray) -> np.ndarray:
  """Returns actions [T, P, 6] as one number a step and player, [T, P]."""
  heads = tuple(np.moveaxis(actions.astype(np.int64), -1, 0))
  return np.ravel_multi_index(heads, constants.ACTION_SIZES).astype(np.uint16)


def _decoded(codes: np.ndarray) -> np.ndarray:
  """Returns what `_coded` was given; ValueError for other numbers."""
  if codes.ndim != 2:
    raise ValueError("actions are not of steps and players")
  heads = np.unravel_index(codes.astype(np.int64), constants.ACTION_SIZES)
  return np.stack(heads, axis=-1).astype(np.int8)


def _draw(config: SamplerConfig, num_tasks: int) -> list[Task]:
  source = sampler.TaskSampler(config)
  return [source.task(index) for index in range(num_tasks)]


def _env(num_players: int) -> land_types.LandConfig:
  return land_types.LandConfig(num_players=num_players, num_threads=1)
