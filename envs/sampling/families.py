"""Task families: the tasks from which training and evaluation draw.

A family is a set of tasks, each a pure function of an index, with a fixed split
into a training and a held-out half::

  SampledTasks   tasks drawn according to a SamplerConfig
  candidates     families whose rules are hidden (Traps, Find, Fetch, Chain)
  TaskFolder     a folder of task files
  TaskFunction   a function of an index
  TaskMixture    several families, with weights

Any object with the four members of `TaskFamily` is a family, too.
"""

import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from adaland.envs.sampling import heldout, named, sampler, task_sets
from adaland.envs.sampling.config import SamplerConfig
from adaland.envs.tasks import checks, json_checks, json_files, parts
from adaland.envs.tasks.task import Task


@runtime_checkable
class TaskFamily(task_sets.TaskSet, Protocol):
  """A task set with a training and a held-out half.

  The halves share no index, never change, and together are the whole set.
  """

  def training(self) -> task_sets.TaskSet:
    """Returns the tasks to train on."""
    ...

  def held_out(self) -> task_sets.TaskSet:
    """Returns the tasks to evaluate on, which training never sees."""
    ...


def make(
  source: TaskFamily | SamplerConfig | str | os.PathLike[str] | Any,
) -> TaskFamily:
  """Makes a family from its description.

  Args:
    source: A family, the configuration of a sampler or of a run's tasks, a
      name that `named` knows (such as "traps"), a folder of task files
      ("./traps"), or a function from an index to a task.

  Raises:
    ValueError: If the source is none of these, or its folder is invalid.
  """
  if isinstance(source, TaskFamily) and not isinstance(source, type):
    return source
  if isinstance(source, SamplerConfig):
    # A run's configuration may name a family, which replaces its description.
    name = getattr(source, "family", "")
    return make(name) if name else SampledTasks(source)
  if isinstance(source, str) and named.is_named(source):
    weighted = named.parse(source)
    return weighted[0][0] if len(weighted) == 1 else TaskMixture(weighted)
  if isinstance(source, str) and not _is_path(source):
    raise ValueError(f"{source}: {named.unknown(source)}")
  if isinstance(source, (str, os.PathLike)):
    return TaskFolder(source)
  if callable(source):
    return TaskFunction(source)
  raise json_checks.refusal(
    "task family",
    source,
    "a TaskFamily, a SamplerConfig, a folder of task files, or a function of "
    "an index",
  )


@dataclasses.dataclass(frozen=True)
class SampledTasks:
  """The family of a sampler's tasks.

  Halves differ in games (by a hash of the canonical form) and in worlds (by
  seed). Indices of the training half come first, then those of the held-out
  half. The split is fair only if there are very many games, see `heldout`.

  Attributes:
    config: The distribution of tasks; its `split` is ignored.
  """

  config: SamplerConfig = dataclasses.field(default_factory=SamplerConfig)

  @property
  def num_tasks(self) -> int:
    """Number of tasks in both halves."""
    return self.training().num_tasks + self.held_out().num_tasks

  def task(self, index: int) -> Task:
    """Returns the task of an index."""
    index = task_sets.wrapped(index, self.num_tasks)
    training = self.training()
    if index < training.num_tasks:
      return training.task(index)
    return self.held_out().task(index - training.num_tasks)

  def training(self) -> task_sets.TaskSet:
    """Returns the training half."""
    return self._split("train")

  def held_out(self) -> task_sets.TaskSet:
    """Returns the held-out half."""
    return self._split("test")

  def _split(self, name: str) -> sampler.TaskSampler:
    return sampler.TaskSampler(dataclasses.replace(self.config, split=name))


class TaskFolder:
  """The family of the task files in a folder.

  A task is held out if its game is, by the sampler's rule: one game in
  HELDOUT_ONE_IN, chosen by a hash of its canonical form. So the half of a file
  depends only on its game, and sampled training tasks mixed with the folder
  have none of its held-out games. A folder that is too small for this split
  needs a second folder with the held-out half.
  """

  def __init__(
    self,
    folder: str | os.PathLike[str],
    held_out: str | os.PathLike[str] | None = None,
  ):
    """Reads all `*.json` files of the folder, in the order of their names.

    Args:
      folder: The task files.
      held_out: Folder with the held-out half; then all of `folder` is training.

    Raises:
      ValueError: If a folder has no task file, a file is invalid, or both
        folders have the same game.
    """
    self._name = os.fspath(folder)
    tasks = _load_folder(folder)
    if held_out is None:
      self._tasks = tasks
      self._held_out = [t for t in tasks if heldout.is_heldout_game(t)]
      self._training = [t for t in tasks if not heldout.is_heldout_game(t)]
      return
    self._training, self._held_out = tasks, _load_folder(held_out)
    self._tasks = self._training + self._held_out
    known = {_game(task): task for task in self._training}
    for task in self._held_out:
      if _game(task) in known:
        raise ValueError(
          f"{os.fspath(held_out)}: the game of {task.name!r} is that of "
          f"{known[_game(task)].name!r} in {self._name}, allowed: each game in "
          "one of the folders"
        )

  @property
  def num_tasks(self) -> int:
    """Number of files."""
    return len(self._tasks)

  def task(self, index: int) -> Task:
    """Returns the task of an index."""
    return self._tasks[task_sets.wrapped(index, self.num_tasks)]

  def training(self) -> task_sets.TaskSet:
    """Returns the training half; ValueError if it is empty."""
    return self._half("training", self._training)

  def held_out(self) -> task_sets.TaskSet:
    """Returns the held-out half; ValueError if it is empty."""
    return self._half("held-out", self._held_out)

  def _half(self, name: str, tasks: Sequence[Task]) -> task_sets.TaskSet:
    if not tasks:
      raise ValueError(
        f"{self._name}: the {name} half has no task, allowed: at least one; a "
        f"hash holds out one game in {heldout.HELDOUT_ONE_IN}, so add games, "
        "or give a second folder as `held_out`"
      )
    return task_sets.TaskList(tuple(tasks))


@dataclasses.dataclass(frozen=True)
class TaskFunction:
  """The family of a function's tasks.

  Of every HELDOUT_ONE_IN consecutive indices one is held out, chosen by a hash.
  The split is by index: the games of the held-out half are new to an agent only
  if the function returns different games at different indices.

  Attributes:
    function: Returns the task of an index from 0 to num_tasks - 1; the same at
      each call and in each process.
    num_tasks: Number of indices. With the default, each index can be a world's
      seed.
  """

  function: Callable[[int], Task]
  num_tasks: int = parts.MAX_SEED + 1

  def __post_init__(self):
    checks.check_range("num_tasks", self.num_tasks, 2, 2**62)

  def task(self, index: int) -> Task:
    """Returns the task of an index."""
    index = task_sets.wrapped(index, self.num_tasks)
    task = self.function(index)
    if not isinstance(task, Task):
      name = getattr(self.function, "__name__", repr(self.function))
      raise json_checks.refusal(f"{name}({index})", task, "a Task")
    return task

  def training(self) -> task_sets.TaskSet:
    """Returns the training half."""
    return _FunctionHalf(self, held_out=False)

  def held_out(self) -> task_sets.TaskSet:
    """Returns the held-out half."""
    return _FunctionHalf(self, held_out=True)


@dataclasses.dataclass(frozen=True)
class _FunctionHalf:
  """A half of a TaskFunction: each block of indices has one held-out index.

  A block has HELDOUT_ONE_IN indices; the last one also has the remaining ones.
  """

  whole: TaskFunction
  held_out: bool

  @property
  def num_tasks(self) -> int:
    blocks = self._num_blocks
    return blocks if self.held_out else self.whole.num_tasks - blocks

  def task(self, index: int) -> Task:
    index = task_sets.wrapped(index, self.num_tasks)
    one_in, last = heldout.HELDOUT_ONE_IN, self._num_blocks - 1
    block = index if self.held_out else min(index // (one_in - 1), last)
    start = one_in * block
    size = self.whole.num_tasks - start if block == last else one_in
    digest = hashlib.blake2b(str(block).encode(), digest_size=8).digest()
    held_out = start + int.from_bytes(digest, "big") % size
    if self.held_out:
      return self.whole.task(held_out)
    index += block  # Each earlier block has one held-out index.
    return self.whole.task(index + (index >= held_out))

  @property
  def _num_blocks(self) -> int:
    return max(1, self.whole.num_tasks // heldout.HELDOUT_ONE_IN)


class TaskMixture:
  """The family of several families' tasks, mixed by weight.

  The halves mix the families' halves by the same weights.
  """

  def __init__(self, weighted: Sequence[tuple[Any, int]]):
    """Initializes the mixture.

    Args:
      weighted: Families, as arguments of `make`, each with its weight: the
        number of its tasks among sum(weights) consecutive ones.

    Raises:
      ValueError: If there is no family, or a weight is out of range.
    """
    if not weighted:
      raise ValueError("the mixture has 0 families, allowed: 1 or more")
    for i, (_, weight) in enumerate(weighted):
      checks.check_range(
        f"weight of family {i}", weight, 1, task_sets.MAX_WEIGHT
      )
    self._families = [(make(source), weight) for source, weight in weighted]
    self._tasks = task_sets.MixedSet(tuple(self._families))

  @property
  def num_tasks(self) -> int:
    """Number of tasks, which include every task of each family."""
    return self._tasks.num_tasks

  def task(self, index: int) -> Task:
    """Returns the task of an index."""
    return self._tasks.task(index)

  def training(self) -> task_sets.TaskSet:
    """Returns the mixture of the training halves."""
    return task_sets.MixedSet(
      tuple((f.training(), n) for f, n in self._families)
    )

  def held_out(self) -> task_sets.TaskSet:
    """Returns the mixture of the held-out halves."""
    return task_sets.MixedSet(
      tuple((f.held_out(), n) for f, n in self._families)
    )


def _is_path(text: str) -> bool:
  """Returns True if a text can only be the path of a folder."""
  return os.sep in text or os.path.isdir(text)


def _game(task: Task) -> str:
  goals = [player.goal for player in task.players]
  return heldout.canonical_form(goals, task.rules)


def _load_folder(folder: str | os.PathLike[str]) -> list[Task]:
  path = pathlib.Path(folder)
  if not path.is_dir():
    raise ValueError(f"{path}: no such folder")
  files = sorted(path.glob("*.json"))
  if not files:
    raise ValueError(f"{path}: there is no .json file in it")
  return [json_files.load(file) for file in files]
