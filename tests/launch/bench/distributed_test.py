"""Tests of adaland.launch.bench.distributed; no actor is started."""

import multiprocessing
import os
import threading

from absl.testing import absltest

from adaland.agent.replay import factory
from adaland.launch import errors
from adaland.launch.bench import distributed
from adaland.launch.config import preset_configs


class TurnTest(absltest.TestCase):
  def test_a_turn_adds_up_what_all_actors_did(self):
    told = []

    def play(pipe, steps, seconds):
      told.append(pipe.recv())
      pipe.send(distributed._Played(steps, seconds, 2.0))

    pipes = []
    for steps, seconds in ((100, 1.0), (300, 2.0)):
      mine, theirs = multiprocessing.Pipe()
      pipes.append(mine)
      threading.Thread(target=play, args=(theirs, steps, seconds)).start()
    turn = distributed._turn(pipes, True, os.getpid())
    self.assertEqual(told, [True, True])
    self.assertEqual(turn.per_second, 100 / 1.0 + 300 / 2.0)
    # 400 steps in 4 s of the actors' processor time and almost none of ours.
    self.assertAlmostEqual(turn.per_cpu_second, 100.0, delta=5.0)

  def test_an_actor_that_ends_or_hangs_is_one_line(self):
    mine, theirs = multiprocessing.Pipe()
    with self.assertRaisesRegex(errors.RunError, "did not answer for 0.01 s"):
      distributed._answer(mine, 0.01)
    theirs.close()
    with self.assertRaisesRegex(errors.RunError, "process ended"):
      distributed._answer(mine, 1.0)

  def test_without_reverb_there_is_nothing_to_measure(self):
    with (
      absltest.mock.patch.object(
        factory, "resolve_kind", return_value="memory"
      ),
      self.assertRaisesRegex(errors.UserError, "not installed"),
    ):
      distributed.sink(preset_configs.smoke(), 1.0)


if __name__ == "__main__":
  absltest.main()
