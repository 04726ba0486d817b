"""Processor time of a run, counted over all of its starts."""

import contextlib
import json
import os
import pathlib
import threading

from adaland.envs.tasks import json_checks
from adaland.launch import errors, output
from adaland.launch.run import process_tree
from adaland.launch.studies import results

# Time between two writes, seconds: a killed run loses up to this much.
_PERIOD = 10.0


class Counter:
  """A context that counts the processor time of a run.

  All processes of this command count. The total is kept in a file, from which
  the run's next start continues. A thread writes it during the run, since a
  killed command writes nothing at its end.

  Attributes:
    seconds: The total, as it was last written.
  """

  def __init__(self, path: pathlib.Path):
    """Reads the total of the run's earlier starts.

    Raises:
      UserError: If the file is not of the expected form.
    """
    self._path = path
    self._before = _read(path)
    self.seconds = self._before
    self._over = threading.Event()
    self._thread = threading.Thread(target=self._keep, daemon=True)

  def __enter__(self) -> "Counter":
    self._start = process_tree.tree_cpu_seconds(os.getpid())
    self._thread.start()
    return self

  def __exit__(self, *error: object) -> None:
    self._over.set()
    self._thread.join()
    self._write()

  def _keep(self) -> None:
    while not self._over.wait(_PERIOD):
      # The last write reports a full disk.
      with contextlib.suppress(OSError):
        self._write()

  def _write(self) -> None:
    spent = process_tree.tree_cpu_seconds(os.getpid()) - self._start
    # Processes whose parent has ended without waiting for them, such as Ray's
    # workers, are no longer in the tree.
    self.seconds = max(self.seconds, self._before + spent)
    content = json.dumps({"cpu_seconds": self.seconds}, indent=1) + "\n"
    output.write_atomically(str(self._path), content)


def _read(path: pathlib.Path) -> float:
  if not path.exists():
    return 0.0
  with errors.user_input(str(path)), errors.of_another_form(str(path)):
    return results.number(json_checks.load(path)["cpu_seconds"], "cpu_seconds")
