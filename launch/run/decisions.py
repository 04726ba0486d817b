"""The log of a curriculum's decisions, one JSON object per line.

{"env_steps": 51200, "task": 1234, "accepted": true, "why": "passes",
 "score": 0.31, "complexity": {"rules": 2, "trials": 3, ...}}

If the curriculum chooses pairs of a task and a co-player, there is also
"coplayer", such as "random". A long log is thinned: `"one_in": 4` says that one
in four decisions is kept, evenly over the run.
"""

import collections
import itertools
import json
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

from adaland.curriculum import base, coplayers, statistics
from adaland.envs.tasks import complexity
from adaland.envs.tasks.task import Task
from adaland.launch import errors, output
from adaland.launch.run import json_lines

FILE = "decisions.jsonl"
# The complexity is computed for at most this many decisions in one call: each
# takes milliseconds, and a run on a fast device decides on a thousand tasks a
# second.
_MOST_MEASURED = 64
# The newest decisions that wait until they can be written, about 30 MB.
_MOST_WAITING = 100_000
# A longer log is thinned. It has room for several hundred thousand decisions.
_MOST_BYTES = 100_000_000
_ONE_IN = "one_in"


def one_in(line: dict[str, Any]) -> int:
  """Returns the number of decisions that a line stands for."""
  return line.get(_ONE_IN, 1)


def _row(line: bytes) -> dict[str, Any]:
  """Parses a line of the log; a damaged one is empty."""
  try:
    row = json.loads(line)
  except (RecursionError, ValueError):
    return {}
  return row if isinstance(row, dict) else {}


def _rate(row: dict[str, Any]) -> int:
  """Returns `one_in` of a line that may be damaged."""
  value = one_in(row)
  return value if isinstance(value, int) and value > 0 else 1


class DecisionLog:
  """A log of decisions and of the complexity of their tasks.

  Whenever the file gets longer than 100 MB, every second line is dropped, and
  from then on half as many decisions are logged as before.

  Args:
    folder: The run's directory.
    task_of: Returns the task of an index in the pool.
    paired: True if decisions are about pairs of a task and a co-player.
  """

  def __init__(
    self, folder: str, task_of: Callable[[int], Task], paired: bool = False
  ):
    self._paired = paired
    self._path = pathlib.Path(folder) / FILE
    self._task_of = task_of
    self._means: dict[str, statistics.RecentMean] = {}
    self._waiting: collections.deque[str] = collections.deque(
      maxlen=_MOST_WAITING
    )
    self._one_in = self._earlier_rate()
    self._decided = 0

  def _earlier_rate(self) -> int:
    """Returns the rate at which an earlier part of the run was logged."""
    if not self._path.is_file():
      return 1
    with open(self._path, "rb") as file:
      return _rate(_row(file.readline()))

  def add(self, decisions: Sequence[base.Decision], env_steps: int) -> None:
    """Adds decisions, which `flush` writes.

    Args:
      decisions: In the order they were made in.
      env_steps: The run's steps so far.
    """
    first = -self._decided % self._one_in
    self._decided += len(decisions)
    for number, decision in enumerate(decisions[first :: self._one_in]):
      index, coplayer = decision.index, coplayers.SELF
      if self._paired:
        index, coplayer = coplayers.split(index)
      line: dict[str, Any] = {
        "env_steps": env_steps,
        "task": index,
        **({"coplayer": coplayers.name(coplayer)} if self._paired else {}),
        "accepted": decision.accepted,
        "why": decision.why,
        "score": decision.score,
        **({_ONE_IN: self._one_in} if self._one_in > 1 else {}),
      }
      if number < _MOST_MEASURED:
        measures = complexity.measures(self._task_of(index))
        line["complexity"] = measures
        self._add(decision.accepted, measures)
      self._waiting.append(json.dumps(line) + "\n")

  def flush(self) -> None:
    """Appends all added decisions to the file.

    Raises:
      OSError: If they can't be written; the next call tries again.
    """
    if not self._waiting:
      return
    with (
      errors.named(str(self._path)),
      open(self._path, "ab", buffering=0) as file,
    ):
      json_lines.append(file, "".join(self._waiting).encode())
      size = file.tell()
    self._waiting.clear()
    if size > _MOST_BYTES:
      self._thin()

  def _thin(self) -> None:
    """Drops every second line of the file."""
    with errors.named(str(self._path)), open(self._path, "rb") as file:
      # Damaged lines are dropped too.
      rows = [_row(line) for line in itertools.islice(file, None, None, 2)]
    kept = (
      json.dumps(row | {_ONE_IN: 2 * _rate(row)}) + "\n" for row in rows if row
    )
    output.write_atomically(str(self._path), "".join(kept))
    self._one_in *= 2

  def _add(self, accepted: bool, measures: dict[str, int]) -> None:
    kind = "accepted" if accepted else "refused"
    for name, value in measures.items():
      mean = self._means.setdefault(f"{kind}/{name}", statistics.RecentMean())
      mean.add(float(value))

  def drop_lost(self, newest: int) -> None:
    """Drops decisions that a resumed run makes again.

    Args:
      newest: Number of environment steps at which the run resumes.
    """
    json_lines.drop_lost(str(self._path), "env_steps", newest)

  def metrics(self) -> dict[str, float]:
    """Returns recent means of complexity, `accepted/NAME`, `refused/NAME`."""
    # Another thread may be adding names.
    return {name: mean.mean for name, mean in dict(self._means).items()}
