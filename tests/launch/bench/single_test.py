"""Tests of adaland.launch.bench.single on the smallest run."""

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.bench import single
from tests.launch.runtimes.single import configs


class _Run:
  """A fake trainer: 10 steps per call, an update every `every` calls."""

  def __init__(self, every):
    self.calls = self.waits = 0
    self.every = every

  def step(self):
    self.calls += 1

  def wait(self):
    self.waits += 1

  def counters(self):
    updates = self.calls // self.every if self.every else 0
    return {"env_steps": 10 * self.calls, "updates": updates}


class MeasuredTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.enter_context(
      absltest.mock.patch.object(single, "_train_stages", return_value={})
    )

  def test_counts_from_the_third_update_on(self):
    run = _Run(every=2)
    config = configs.tiny()
    clock = iter([100.0, 100.5, 104.0])
    with absltest.mock.patch.object(
      single.time, "perf_counter", lambda: next(clock)
    ):
      found = single._measured(config, run, 0.5)
    # Six calls to three updates; then one for each step of an unroll.
    self.assertEqual(run.calls, 6 + 8)
    self.assertEqual(run.waits, 2)
    self.assertEqual(found["train_step_ms"], 1e3 * 4.0 / 8)
    self.assertEqual(found["train_steps_per_s"], 80 / 4.0)
    # Four updates of two unrolls of eight steps, for 80 steps played.
    self.assertEqual(found["train_updates_per_s"], 1.0)
    self.assertEqual(found["train_learned_steps_per_s"], 16.0)
    self.assertEqual(found["train_replayed_ratio"], 0.8)

  def test_a_run_that_never_learns(self):
    run = _Run(every=0)
    with self.assertRaisesRegex(errors.RunError, "there was no update in"):
      single._measured(configs.tiny(), run, 0.5)


class WholeTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.enter_context(absltest.mock.patch.object(single.preflight, "prepare"))

  def test_a_run(self):
    found = single.training(configs.tiny(), 0.05)
    self.assertGreater(found["train_steps_per_s"], 0)
    self.assertGreater(found["train_env_ms"], 0)
    self.assertGreater(found["train_act_ms"], 0)
    self.assertGreater(found["train_learn_ms"], 0)
    self.assertEqual(found["train_accelerators_count"], 0)
    self.assertGreater(found["train_replayed_ratio"], 0.3)


if __name__ == "__main__":
  absltest.main()
