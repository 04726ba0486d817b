"""Tests of adaland.launch.acting.unroll_cutter."""

from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.launch.acting import cutting, unroll_cutter


def _keep_memory(snapshots, memory, envs, rows):
  kept = snapshots["m"].copy()
  inside = rows < len(kept)
  kept[rows[inside]] = memory["m"][envs[inside]]
  return {"m": kept}


def _cut(buffer, snapshots, indices, *_):
  """Returns row, first step, number of steps and memory of each unroll."""
  return np.stack([*indices[:3], snapshots["m"][indices[3]]], axis=1)


def _emitted(length, first, last, learned):
  """Returns the unrolls that are emitted, as `_cut` returns them.

  Row r has the memory 10 t + r at time t.

  Args:
    length: Steps of an unroll.
    first: Environments whose episode starts, by time, bool [times, N].
    last: Environments whose episode has ended, bool [times, N].
    learned: Players whose unrolls are learned from, bool [N, P].

  Returns:
    Pairs of a time and the unrolls that are complete then.
  """
  emitted, time = [], 0

  def emit(unrolls: Any, num: int) -> None:
    emitted.append((time, unrolls[:num].tolist()))

  (num_envs, num_players), num_rows = learned.shape, learned.size
  cutter = unroll_cutter.UnrollCutter(
    num_envs,
    num_players,
    length,
    {"m": np.full(cutting.num_snapshots(length) * num_rows, -1)},
    emit,
  )
  with (
    absltest.mock.patch.object(cutting, "keep_memory", _keep_memory),
    absltest.mock.patch.object(cutting, "cut", _cut),
  ):
    for time in range(len(first)):
      memory = {"m": 10 * time + np.arange(num_rows)}
      cutter.keep_memory(time, first[time], last[time], memory)
      buffer = absltest.mock.Mock()
      cutter.cut(time, last[time], learned, buffer, version=0, rules=None)
  return emitted


class UnrollCutterTest(absltest.TestCase):
  def test_unrolls_of_two_environments_by_hand(self):
    first, last = np.zeros((2, 9, 2), bool)
    first[0] = first[5, 0] = True
    last[4, 0] = True  # The first episode of environment 0 has four steps.
    # The buffer has four steps.
    self.assertEqual(
      _emitted(3, first, last, np.array([[True, False], [True, True]])),
      [
        (3, [[0, 0, 3, 0], [2, 0, 3, 2], [3, 0, 3, 3]]),
        (4, [[0, 2, 2, 20]]),
        (5, [[2, 2, 3, 22], [3, 2, 3, 23]]),
        (7, [[2, 0, 3, 42], [3, 0, 3, 43]]),
        (8, [[0, 1, 3, 50]]),
      ],
    )

  def test_unrolls_of_two_steps_need_a_third_memory(self):
    first, last = np.zeros((2, 6, 1), bool)
    first[0] = True
    # Each begins at the last step of the one before; the buffer has three.
    self.assertEqual(
      _emitted(2, first, last, np.ones((1, 1), bool)),
      [
        (2, [[0, 0, 2, 0]]),
        (3, [[0, 1, 2, 10]]),
        (4, [[0, 2, 2, 20]]),
        (5, [[0, 0, 2, 30]]),
      ],
    )

  def test_rules_of_the_next_tasks_do_not_reach_an_unroll(self):
    """The program runs after it is called, when the next rules may be there."""
    cutter = unroll_cutter.UnrollCutter(
      num_envs=2, num_players=1, length=4, snapshots={}, emit=lambda *_: None
    )
    rules = np.arange(2, dtype=np.int32).reshape(2, 1, 1)
    with absltest.mock.patch.object(cutting, "cut") as cut:
      cutter.cut(
        time=3,
        last=np.array([True, False]),
        learned=np.ones((2, 1), bool),
        buffer=absltest.mock.Mock(),
        version=0,
        rules=rules,
      )
    cut.assert_called_once()
    (given,) = (x for x in cut.call_args.args if np.shape(x) == rules.shape)
    rules[:] = 7
    np.testing.assert_array_equal(given[:, 0, 0], [0, 1])


if __name__ == "__main__":
  absltest.main()
