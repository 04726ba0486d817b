"""Tests of launch.watch on an agent that was not trained."""

import contextlib
import io
import json
import pathlib

import imageio_ffmpeg
from absl.testing import absltest

from adaland.envs.tasks import json_files
from adaland.envs.tasks.task import Task
from adaland.launch import errors, watch
from adaland.launch.agents import agent_dir
from tests.launch.agents import examples


def _call(*argv):
  """Runs the command; returns (code, stdout, stderr)."""
  out, err = io.StringIO(), io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = watch.main(list(argv))
  return code, out.getvalue(), err.getvalue()


class WatchTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def test_a_film_a_figure_and_numbers(self):
    run, out = self.folder / "run", self.folder / "seen"
    examples.run(run)
    code, text, err = _call(
      f"--workdir={run}",
      f"--out={out}",
      "--num_tasks=2",
      "--json=-",
    )
    self.assertEqual(code, 0, err)
    result = json.loads(text)
    labels = list(result["policies"])
    self.assertEqual(
      labels[:3], ["agent", "agent, swapped memory", "agent, prompted"]
    )
    self.assertContainsSubset({"expert", "random"}, labels)
    # The demonstration is the guide's, which is told the rules.
    self.assertEqual(result["demo"], "guide")
    self.assertGreater(result["policies"]["agent, prompted"]["mean"][0], 0.7)
    self.assertLen(result["filmed"]["rewards"], 2)
    self.assertEqual((out / "scores.png").read_bytes()[:4], b"\x89PNG")
    frames, _ = imageio_ffmpeg.count_frames_and_secs(str(out / "trials.mp4"))
    self.assertGreater(frames or 0, 2 * 15)

  def test_an_unknown_demonstrator_is_refused(self):
    with self.assertRaisesRegex(errors.UserError, "--demo: .*tutor.*guide"):
      watch.make_parser().parse_args(["--demo=tutor"])

  def test_a_demonstrator_that_can_t_play_is_refused_at_once(self):
    path = self.folder / "task.json"
    json_files.save(
      path, Task.of(goal="hold(player1, black cube)", objects=["black cube"])
    )
    code, out, err = _call(
      f"--taskset={path}", "--demo=guide", f"--out={self.folder / 'new'}"
    )
    self.assertEqual((code, out), (2, ""))
    self.assertIn("the guide can't play it", err)
    self.assertFalse((self.folder / "new").exists())

  def test_the_figure_s_title_tells_held_out_tasks(self):
    for taskset, text in (
      ("test", "Score by trial on 7 held-out tasks"),
      ("traps:candidates=2", "Score by trial on 7 held-out tasks"),
      ("probe", "Score by trial on 7 tasks"),
    ):
      title = watch._title({"taskset": taskset, "num_scored": 7})
      self.assertEqual(title, text)

  def test_more_tasks_than_are_played_at_once_are_refused(self):
    code, out, err = _call(f"--out={self.folder / 'new'}", "--num_tasks=65")
    self.assertEqual((code, out), (2, ""))
    self.assertIn("--num_tasks=65: allowed: 1 to 64", err)
    self.assertFalse((self.folder / "new").exists())

  def test_without_an_agent(self):
    with absltest.mock.patch.object(agent_dir, "SHIPPED", self.folder):
      code, out, err = _call(f"--out={self.folder / 'new'}")
    self.assertEqual((code, out), (2, ""))
    self.assertIn("--workdir is missing: no agent comes with", err)
    self.assertFalse((self.folder / "new").exists())


if __name__ == "__main__":
  absltest.main()
