import os
import pathlib
import subprocess
import sys
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import learner_config
from adaland.agent.checkpoint import arrays, checkpoint
from adaland.agent.learner import Learner, make_learner
from adaland.agent.muesli import muesli
from tests.agent import fakes


def _learner() -> Learner:
  return make_learner(
    fakes.make_network(3),
    learner_config.LearnerConfig(
      muesli=muesli.MuesliConfig(num_samples=2, model_steps=1, value_range=10.0)
    ),
    fakes.SIZES,
  )


def _batch(seed: int):
  return fakes.make_batch(np.random.default_rng(seed), 2, 4, 3)


def write_until_killed(directory: str) -> None:
  """Learns and writes endlessly; runs in a process that the test kills."""
  learner = _learner()
  state = learner.init(jax.random.PRNGKey(0))
  for step in range(1_000_000):
    state, _ = learner.update(state, _batch(step))
    checkpoint.save(directory, step, state, {"seen": step})
    print(step, flush=True)


class CheckpointTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def _state(self, x: float):
    return {"w": jnp.full([3], x, jnp.float32), "n": jnp.asarray(7, jnp.int32)}

  def test_goes_on_with_the_same_next_loss(self):
    learner = _learner()
    state = learner.init(jax.random.PRNGKey(0))
    for seed in range(3):
      state, _ = learner.update(state, _batch(seed))
    checkpoint.save(self.folder, 3, state, {})
    state, expected = learner.update(state, _batch(3))

    restored, _, step = checkpoint.restore(
      self.folder, jax.eval_shape(learner.init, jax.random.PRNGKey(1))
    )
    self.assertEqual(step, 3)
    again, metrics = _learner().update(restored, _batch(3))
    jax.tree_util.tree_map(
      np.testing.assert_array_equal, (metrics, again), (expected, state)
    )

  def test_a_killed_writer_leaves_a_good_checkpoint(self):
    root = pathlib.Path(__file__).resolve().parents[3]
    program = (
      "import sys; import tests.agent.checkpoint.checkpoint_test as t;"
      "t.write_until_killed(sys.argv[1])"
    )
    writer = subprocess.Popen(
      [sys.executable, "-c", program, str(self.folder)],
      cwd=root,
      env=os.environ | {"PYTHONPATH": str(root)},
      stdout=subprocess.PIPE,
      text=True,
    )
    output = writer.stdout
    assert output is not None
    self.addCleanup(output.close)
    for line in output:
      if int(line) >= 3:
        break
    writer.kill()
    writer.wait()

    learner = _learner()
    template = jax.eval_shape(learner.init, jax.random.PRNGKey(0))
    state, run, step = checkpoint.restore(self.folder, template)
    self.assertGreaterEqual(step, 3)
    self.assertEqual(run, {"seen": step})
    expected = learner.init(jax.random.PRNGKey(0))
    for seed in range(step + 1):
      expected, _ = learner.update(expected, _batch(seed))
    _, got = learner.update(state, _batch(99))
    _, wanted = learner.update(expected, _batch(99))
    self.assertEqual(got["loss/total"], wanted["loss/total"])

  def test_run_state_comes_back_as_it_was(self):
    deep = np.arange(6.0).reshape(2, 3)
    run = {
      "count": 3,
      "name": "plr",
      "none": None,
      "list": [1.5, float("inf"), {"deep": deep}],
      "words": np.arange(4, dtype=np.uint64) + np.uint64(2**63),
      "number": np.float32(0.1),
    }
    checkpoint.save(self.folder, 1, self._state(1.0), run)
    _, back, _ = checkpoint.restore(self.folder, self._state(0.0))
    self.assertEqual(set(back), set(run))
    self.assertEqual(back["list"][:2], [1.5, float("inf")])
    np.testing.assert_array_equal(back["list"][2]["deep"], deep)
    np.testing.assert_array_equal(back["words"], run["words"])
    self.assertEqual(back["words"].dtype, np.uint64)
    self.assertEqual(np.float32(back["number"]), run["number"])
    self.assertEqual(checkpoint.read_run(self.folder)["name"], "plr")

  def test_keeps_the_newest(self):
    for step in range(5):
      checkpoint.save(self.folder, step, self._state(step), {}, keep=2)
    self.assertEqual(checkpoint.steps(self.folder), [3, 4])
    state, _, _ = checkpoint.restore(self.folder, self._state(0.0), step=3)
    np.testing.assert_array_equal(state["w"], [3.0, 3.0, 3.0])
    checkpoint.save(self.folder, 4, self._state(9.0), {})
    state, _, _ = checkpoint.restore(self.folder, self._state(0.0))
    np.testing.assert_array_equal(state["w"], [9.0, 9.0, 9.0])
    self.assertCountEqual(os.listdir(self.folder), ["3", "4"])

  def test_at_least_one_is_kept(self):
    with self.assertRaisesRegex(ValueError, "keep is 0, allowed: at least 1"):
      checkpoint.save(self.folder, 1, self._state(1.0), {}, keep=0)
    self.assertEmpty(os.listdir(self.folder))

  def test_steps_are_in_the_order_of_numbers(self):
    for step in (9, 10):
      checkpoint.save(self.folder, step, self._state(step), {"n": step})
    self.assertEqual(checkpoint.steps(self.folder), [9, 10])
    _, run, step = checkpoint.restore(self.folder, self._state(0.0))
    self.assertEqual((run, step), ({"n": 10}, 10))

  def test_a_failed_write_leaves_the_former(self):
    checkpoint.save(self.folder, 1, self._state(1.0), {})
    full = OSError(28, "No space left on device")
    for module, function in (
      (arrays, "write"),
      (checkpoint, "_sync_folder"),
    ):
      with (
        mock.patch.object(module, function, side_effect=full),
        self.assertRaisesRegex(OSError, "cannot write checkpoint .*No space"),
      ):
        checkpoint.save(self.folder, 1, self._state(2.0), {})
      self.assertEqual(checkpoint.steps(self.folder), [1])
    with (
      mock.patch.object(os, "fsync", side_effect=full),
      self.assertRaisesRegex(OSError, "No space"),
    ):
      checkpoint.save(self.folder, 2, self._state(2.0), {})
    self.assertEqual(os.listdir(self.folder), ["1"])

  def test_a_writer_killed_while_it_replaces_a_step_leaves_that_step(self):
    checkpoint.save(self.folder, 1, self._state(1.0), {"n": 1})
    # Between its two renames.
    (self.folder / "1").rename(self.folder / "writing-old-1-77")
    self.assertEqual(checkpoint.steps(self.folder), [1])
    state, run, _ = checkpoint.restore(self.folder, self._state(0.0))
    np.testing.assert_array_equal(state["w"], [1.0, 1.0, 1.0])
    self.assertEqual(run, checkpoint.read_run(self.folder))
    checkpoint.save(self.folder, 2, self._state(2.0), {})
    self.assertCountEqual(os.listdir(self.folder), ["1", "2"])

  def test_a_step_that_was_replaced_is_the_new_one(self):
    for n in (1, 2):
      checkpoint.save(self.folder / str(n), 1, self._state(n), {"n": n})
    # A writer was killed after its two renames.
    (self.folder / "1" / "1").rename(self.folder / "2" / "writing-old-1-77")
    state, run, _ = checkpoint.restore(self.folder / "2", self._state(0.0))
    np.testing.assert_array_equal(state["w"], [2.0, 2.0, 2.0])
    self.assertEqual(run, {"n": 2})
    checkpoint.save(self.folder / "2", 3, self._state(3.0), {})
    self.assertCountEqual(os.listdir(self.folder / "2"), ["1", "3"])

  def test_a_writer_killed_while_it_removes_leaves_good_checkpoints(self):
    def remove_some(folder, **_):
      (folder / "run.json").unlink()
      raise SystemExit

    with mock.patch.object(checkpoint.shutil, "rmtree", remove_some):
      for step in (1, 2):
        checkpoint.save(self.folder, step, self._state(step), {}, keep=2)
      with self.assertRaises(SystemExit):
        checkpoint.save(self.folder, 3, self._state(3.0), {}, keep=2)
    self.assertContainsSubset([2, 3], checkpoint.steps(self.folder))
    for step in checkpoint.steps(self.folder):
      state, _, _ = checkpoint.restore(self.folder, self._state(0.0), step)
      np.testing.assert_array_equal(state["w"], 3 * [step])
    checkpoint.save(self.folder, 4, self._state(4.0), {}, keep=2)
    self.assertCountEqual(os.listdir(self.folder), ["3", "4"])

  def test_missing(self):
    with self.assertRaisesRegex(ValueError, "no checkpoint in .*nowhere"):
      checkpoint.restore(self.folder / "nowhere", self._state(0.0))
    with self.assertRaisesRegex(ValueError, "no checkpoint in .*nowhere"):
      checkpoint.read_run(self.folder / "nowhere")
    checkpoint.save(self.folder, 1, self._state(1.0), {"n": 1})
    checkpoint.save(self.folder, 2, self._state(2.0), {"n": 2})
    self.assertEqual(checkpoint.read_run(self.folder, 1), {"n": 1})
    with self.assertRaisesRegex(ValueError, "no checkpoint in "):
      checkpoint.read_run(self.folder, 5)
    with self.assertRaisesRegex(ValueError, r"of step 5 .* there are \[1, 2\]"):
      checkpoint.restore(self.folder, self._state(0.0), step=5)

  def test_a_part_can_be_read_alone(self):
    parts = {"a": self._state(1.0), "b": self._state(2.0), "c": np.ones(2)}
    checkpoint.save(self.folder, 1, parts, {"n": 1})
    template = {"b": self._state(0.0)}
    with self.assertNoLogs("absl", level="WARNING"):
      state, run, _ = checkpoint.restore(self.folder, template)
    self.assertEqual(set(state), {"b"})
    np.testing.assert_array_equal(state["b"]["w"], [2.0, 2.0, 2.0])
    self.assertEqual(run, {"n": 1})

  def test_of_another_agent(self):
    checkpoint.save(self.folder, 1, self._state(1.0), {})
    for template, text in (
      (
        {"w": jnp.zeros([4]), "n": jnp.asarray(0)},
        r"\['w'\] float32\[3\] where",
      ),
      ({"v": jnp.zeros([3]), "n": jnp.asarray(0)}, "it has no 'v'$"),
      ({"w": {"a": jnp.zeros([3])}}, r"\['w'\]\['a'\] float32\[3\] is needed"),
    ):
      with self.assertRaisesRegex(ValueError, text):
        checkpoint.restore(self.folder, template)

  def test_of_an_agent_with_fewer_or_more_arrays(self):
    checkpoint.save(self.folder, 1, [jnp.zeros(3), jnp.ones(2)], {})
    for template in (
      [jnp.zeros(3)],
      [jnp.zeros(3), jnp.zeros(2), jnp.zeros(1)],
    ):
      with self.assertRaisesRegex(
        ValueError,
        f"another agent: it has 2 arrays where {len(template)} are needed",
      ):
        checkpoint.restore(self.folder, template)

  def test_broken(self):
    folder = checkpoint.save(self.folder, 1, self._state(1.0), {})
    for path in sorted((folder / "arrays").rglob("*")):
      if path.is_file():
        path.write_bytes(b"")
    with self.assertRaisesRegex(ValueError, r"broken checkpoint .*\b1:.") as e:
      checkpoint.restore(self.folder, self._state(0.0))
    self.assertNotIn("\n", str(e.exception))
    (folder / "run.json").write_text('{"format": "adaland')
    with self.assertRaisesRegex(ValueError, "broken checkpoint"):
      checkpoint.restore(self.folder, self._state(0.0))
    for content in (
      "[" * 100_000,
      '{"format": "adaland.checkpoint/1"}',
      '{"format": "adaland.checkpoint/1", "leaves": [], "run": 3}',
    ):
      (folder / "run.json").write_text(content)
      with self.assertRaisesRegex(ValueError, "broken checkpoint") as e:
        checkpoint.restore(self.folder, self._state(0.0))
      self.assertNotIn("\n", str(e.exception))
    (folder / "run.json").write_text('{"format": "other"}')
    with self.assertRaisesRegex(ValueError, "is not a checkpoint"):
      checkpoint.restore(self.folder, self._state(0.0))


if __name__ == "__main__":
  absltest.main()
