"""Test sets: held-out tasks by index, with the expert's rewards and actions.

AdA (arXiv 2301.07608) evaluates on 1,000 held-out tasks for one player and on
1,000 for two. A test set is an npz archive without pickled objects. It holds
the distribution and, for each index, the experts' reward and the actions that
earned it, encoded as one number below 810 for the six heads of a step.
"""

import dataclasses
import io
import json
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from adaland.agent import array_text
from adaland.envs import constants, land_types
from adaland.envs.sampling import sampler
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks import json_checks, npz_files
from adaland.envs.tasks.task import Task
from adaland.launch import errors
from adaland.launch.config import json_codec
from adaland.launch.evaluation import tasksets
from adaland.launch.tasking import witness

FORMAT = "adaland.testset/1"
_NAMES = ("format", "config", "tasks", "reward", "seed", "steps", "actions")
# Limit for the file and for its arrays; 1,000 tasks take less than one MB.
_MAX_BYTES = 64_000_000
_NUM_CODES = math.prod(constants.ACTION_SIZES)
_LAST_SEED = 2**63 - 1
# A reward is a sum of rounded numbers, seconds.
_ROUNDING = 1e-3


class TestSet(NamedTuple):
  """Tasks of a distribution with a witness for each.

  Attributes:
    config: The distribution; the test set consists of its first held-out tasks.
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
      UserError: If the sampler draws tasks other than those that were played.
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
    progress: Called with the number of tasks played and the total number.
  """
  config = SamplerConfig(
    split="test", two_player_probability=float(num_players == 2)
  )
  tasks = _draw(config, num_tasks)
  found = witness.find(tasks, _env(num_players), seed, progress)
  return TestSet(config, tasksets.fingerprint(tasks), found)


def check(test_set: TestSet, indices: Sequence[int]) -> list[int]:
  """Replays witnesses; returns the indices whose rewards differ."""
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
  """Counts tasks and rewarded tasks, and averages rewards.

  "mean_reward_share" is the mean reward as a share of a trial's time.
  """
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
    UserError: If the file can't be read or is not a test set.
  """
  with errors.user_input(path):
    with open(path, "rb") as file:
      data = file.read(_MAX_BYTES + 1)
    return decode(data)


def decode(data: bytes) -> TestSet:
  """Decodes the content of a file.

  Raises:
    UserError: If it is broken, of another format, or inconsistent.
  """
  try:
    return _decode(npz_files.read(data, _NAMES, _MAX_BYTES))
  except ValueError as error:
    raise errors.UserError(
      f"not a test set: {errors.one_line(str(error))}"
    ) from error


def _decode(arrays: dict[str, np.ndarray]) -> TestSet:
  form = array_text.read(arrays["format"])
  if form != FORMAT:
    raise ValueError(f"format is {errors.shown(form)}, allowed: {FORMAT}")
  config = json_codec.from_json(
    SamplerConfig, json_checks.parse(array_text.read(arrays["config"]))
  )
  count = arrays["steps"].shape[:1]
  for name, kinds in (("steps", "iu"), ("seed", "iu"), ("reward", "f")):
    array = arrays[name]
    if array.shape != count or not array.size or array.dtype.kind not in kinds:
      raise ValueError(
        f"{name} is {array.dtype}{list(array.shape)}, allowed: "
        f"{'whole ' if kinds == 'iu' else ''}numbers, one for each task"
      )
  steps, seeds, rewards = (arrays[x] for x in ("steps", "seed", "reward"))
  shortest, longest = (
    round(seconds / constants.STEP_SECONDS) for seconds in config.trial_seconds
  )
  _check_range("steps", steps, shortest, longest)
  _check_range("seed", seeds, 0, _LAST_SEED)
  seconds = steps * constants.STEP_SECONDS + _ROUNDING
  _check_range("reward", rewards, 0, seconds)
  actions = _decoded(arrays["actions"])
  ends = np.cumsum(steps, dtype=np.int64)
  test_set = TestSet(config, array_text.read(arrays["tasks"]), [])
  if actions.shape[:2] != (ends[-1], test_set.num_players):
    given, players = actions.shape[:2]
    raise ValueError(
      f"actions are of {given} steps and {players} players, allowed: "
      f"{ends[-1]} and {test_set.num_players}"
    )
  taken = np.split(actions, ends[:-1])
  return test_set._replace(
    witnesses=[
      witness.Witness(float(reward), int(seed), each)
      for reward, seed, each in zip(rewards, seeds, taken, strict=True)
    ]
  )


def _check_range(
  name: str, array: np.ndarray, first: int, last: int | np.ndarray
) -> None:
  """Raises ValueError unless an array's numbers are in a range."""
  inside = (array >= first) & (array <= last)  # False for NaN too.
  if not inside.all():
    i = int(np.argmin(inside))
    allowed = np.broadcast_to(last, array.shape)[i]
    raise ValueError(
      f"{name}[{i}] is {array[i]}, allowed: {first} to {allowed:g}"
    )


def _coded(actions: np.ndarray) -> np.ndarray:
  """Returns actions [T, P, 6] as one number per step and player, [T, P]."""
  heads = tuple(np.moveaxis(actions.astype(np.int64), -1, 0))
  return np.ravel_multi_index(heads, constants.ACTION_SIZES).astype(np.uint16)


def _decoded(codes: np.ndarray) -> np.ndarray:
  """Inverts `_coded`; raises ValueError for other numbers."""
  if codes.ndim != 2 or codes.dtype.kind not in "iu":
    raise ValueError("actions are not whole numbers of steps and players")
  if ((codes < 0) | (codes >= _NUM_CODES)).any():
    raise ValueError(f"actions are not from 0 to {_NUM_CODES - 1}")
  heads = np.unravel_index(np.arange(_NUM_CODES), constants.ACTION_SIZES)
  return np.stack(heads, axis=-1).astype(np.int8)[codes]


def _draw(config: SamplerConfig, num_tasks: int) -> list[Task]:
  source = sampler.TaskSampler(config)
  return [source.task(index) for index in range(num_tasks)]


def _env(num_players: int) -> land_types.LandConfig:
  return land_types.LandConfig(num_players=num_players, num_threads=1)
