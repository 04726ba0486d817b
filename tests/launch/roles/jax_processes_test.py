"""Tests that two processes learning together are equivalent to one.

Each runs `work` in a new process, because a process can join others in JAX only
once.
"""

import os
import pathlib
import pickle
import subprocess
import sys
import traceback
import types
from collections.abc import Sequence
from typing import Any, NamedTuple
from unittest import mock

import jax
import numpy as np
import pytest
from absl.testing import absltest

from adaland.agent.checkpoint import checkpoint
from adaland.agent.replay.spec import UnrollSpec
from adaland.launch.config import overrides, preset_configs
from adaland.launch.roles import jax_processes, learner_state
from tests.agent import fakes, learners

_ROOT = pathlib.Path(__file__).resolve().parents[3]
_ROWS = 4
_UPDATES = 3
_SECONDS = 400.0


def _batch(number: int, swapped: bool = False) -> Any:
  """Returns a whole batch; its halves may be swapped."""
  made = fakes.make_batch(np.random.default_rng(number), _ROWS, 6, 3)
  made = made._replace(params_version=np.arange(_ROWS) + 2**40 + number)
  order = np.roll(np.arange(_ROWS), _ROWS // 2 if swapped else 0)
  return jax.tree.map(lambda x: x[order], made)


class _Sampler:
  """A sampler of a learner's rows of numbered batches."""

  def __init__(
    self, shard: learner_state.Shard, number: int = 0, **options: bool
  ):
    self.shard, self.number, self.options = shard, number, options

  def sample(self, timeout=None):
    self.number += 1
    rows = _ROWS // self.shard.num_learners
    here = slice(self.shard.rank * rows, (self.shard.rank + 1) * rows)
    return jax.tree.map(lambda x: x[here], _batch(self.number, **self.options))

  def close(self):
    pass


class _Report:
  """A report that keeps the metrics of updates."""

  def __init__(self):
    self.rows = []

  def add(self, values, steps, lag):
    self.rows.append((jax.device_get(values), steps, lag))


class Result(NamedTuple):
  """The result of some updates.

  Attributes:
    state: The learner's state.
    rows: The metrics of each update.
    batch: The batch drawn after the updates.
  """

  state: Any
  rows: list[Any]
  batch: Any


def learn(
  folder: str, shard: learner_state.Shard, save: bool = False, **options: bool
) -> Result:
  """Makes some updates, starting from a folder's checkpoint."""
  example = jax.tree.map(lambda x: x[0], _batch(0))
  config = overrides.apply(
    preset_configs.smoke(),
    [
      f"replay.batch_size={_ROWS}",
      f"cluster.num_learners={shard.num_learners}",
    ],
  )
  with mock.patch.multiple(
    learner_state.builder,
    agent=lambda config: types.SimpleNamespace(network=None),
    learner=lambda config, network: learners.learner(),
    unroll_spec=lambda config, made: UnrollSpec.from_unroll(example),
  ):
    made = learner_state.LearnerState(config, folder, lambda line: None, shard)
  # The batch in the checkpoint had been drawn already.
  drawn = made.updates + (made.batch_info is not None)
  sampler, report = _Sampler(shard, drawn, **options), _Report()
  for _ in range(_UPDATES):
    assert made.draw(sampler)
    assert made.batch_info is not None
    # In the other process's rows, half the steps are masked, as in this one's.
    others = [made.batch_info] * (shard.num_learners - 1)
    made.learn(others, report)
  assert made.draw(sampler)
  batch = made.gather()
  if save and shard.rank == 0:
    made.save({}, batch)
  return Result(jax.device_get(made._state), report.rows, batch)


def work(
  rank: int, coordinator: str, folders: Sequence[str], result: str
) -> None:
  """Runs one of the two processes, which learns in each folder in turn."""
  jax_processes.join(coordinator, 2, rank, "127.0.0.1")
  try:
    shard = learner_state.Shard(rank, 2)
    done = [tuple(learn(folder, shard, save=True)) for folder in folders]
    addresses = _listening()
  except BaseException:
    traceback.print_exc()
    os._exit(1)
  pathlib.Path(result).write_bytes(pickle.dumps((addresses, done)))
  # Ends as a role's process does: JAX's own exit waits for the other.
  os._exit(0)


def _listening() -> set[str]:
  """Returns the addresses this process listens at, in the kernel's notation."""
  own = set()
  for number in os.listdir("/proc/self/fd"):
    try:
      own.add(os.readlink(f"/proc/self/fd/{number}"))
    except OSError:
      continue
  found = set()
  for table in ("tcp", "tcp6"):
    lines = pathlib.Path(f"/proc/self/net/{table}").read_text().splitlines()
    for line in lines[1:]:
      fields = line.split()
      if fields[3] == "0A" and f"socket:[{fields[9]}]" in own:
        found.add(fields[1].split(":")[0])
  return found


@pytest.mark.long
@pytest.mark.optimized
class JaxProcessesTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path

  def start(self, *folders: str) -> list[tuple[set[str], list[Result]]]:
    """Runs two processes that learn; returns the results of each, by folder."""
    coordinator = f"127.0.0.1:{jax_processes.free_port('127.0.0.1')}"
    results = [os.path.join(self.folder, f"result-{rank}") for rank in (0, 1)]
    processes = []
    for rank, result in enumerate(results):
      arguments = (rank, coordinator, folders, result)
      program = (
        "import tests.launch.roles.jax_processes_test as t; "
        f"t.work(*{arguments!r})"
      )
      processes.append(
        subprocess.Popen(
          [sys.executable, "-c", program],
          cwd=_ROOT,
          env=os.environ | {"PYTHONPATH": str(_ROOT)},
        )
      )
      self.addCleanup(processes[-1].kill)
    for process in processes:
      self.assertEqual(process.wait(_SECONDS), 0)
    read = [pickle.loads(pathlib.Path(path).read_bytes()) for path in results]
    return [(addresses, [Result(*r) for r in done]) for addresses, done in read]

  def assert_close(self, a: Result, b: Result):
    jax.tree.map(
      lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-5),
      (a.state, [values for values, _, _ in a.rows]),
      (b.state, [values for values, _, _ in b.rows]),
    )

  def test_two_learn_what_one_does_and_each_goes_on_from_the_other(self):
    alone, together = (f"{self.folder}/{name}" for name in ("one", "two"))
    shard = learner_state.Shard()
    expected = learn(alone, shard, save=True)
    resumed = learn(alone, shard)
    (first_at, (first, first_resumed)), (second_at, (second, _)) = self.start(
      together, alone
    )
    self.assert_close(first, expected)
    # Both have bit-identical parameters.
    jax.tree.map(np.testing.assert_array_equal, first.state, second.state)
    # The assignment of rows matters: each row has its own sampled actions.
    other = learn(f"{self.folder}/other", shard, swapped=True)
    with self.assertRaises(AssertionError):
      self.assert_close(other, expected)
    # The batch that was drawn is complete, to the last bit.
    for done in (first, second):
      jax.tree.map(np.testing.assert_array_equal, done.batch, expected.batch)
      self.assertEqual(done.batch.params_version.dtype, np.int64)
    (_, steps, _), (_, expected_steps, _) = first.rows[0], expected.rows[0]
    self.assertEqual(steps, expected_steps)
    # Only this machine reaches them: 127.0.0.1, in the tables of both kinds.
    local = {"0100007F", "0000000000000000FFFF00000100007F"}
    for addresses in (first_at, second_at):
      self.assertNotEmpty(addresses)
      self.assertContainsSubset(addresses, local)
    # Each resumes from the other's checkpoint.
    self.assertEqual(checkpoint.steps(together), [_UPDATES])
    self.assert_close(learn(together, shard), resumed)
    self.assert_close(first_resumed, resumed)
    self.assertEqual(checkpoint.steps(alone), [_UPDATES, 2 * _UPDATES])


if __name__ == "__main__":
  absltest.main()
