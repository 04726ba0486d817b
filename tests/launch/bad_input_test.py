"""Tests of bad input to every command: one line that names it, and status 2."""

import dataclasses
import json
import pathlib

from absl.testing import absltest, parameterized

from adaland.launch import train
from adaland.launch.agents import agent_dir
from adaland.launch.config import experiment, json_codec, preset_configs
from adaland.launch.run import rundir
from tests.launch.commands import call


class BadInputTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  @parameterized.parameters(
    ("train", "--workdir=W/r --preset=labtop", "error: --preset: 'labtop' is"),
    ("train", "--workdir=W/r", "--preset is missing"),
    ("train", "--preset=smoke", "--workdir"),
    ("train", "--preset=smoke --workdir=", "argument --workdir: an empty val"),
    ("train", "--workdir=W/r --config=", "argument --config: an empty value"),
    ("tasks", "sample --out=", "argument --out: an empty value"),
    ("train", "--workdir=W/r --preset=smoke --sett a=1", "mean '--set'"),
    ("train", "--workdir=W/r --preset=smoke --launcher=moon", "--launcher: 'm"),
    ("train", "--workdir=W/r --preset=smoke --set run.sed=1", "mean 'seed'"),
    ("train", "--workdir=W/r --preset=smoke --config=c", "give only one"),
    (
      "train",
      "--workdir=W/r --preset=gpu",
      "env.backend is 'gpu', allowed with launcher local: cpu",
    ),
    (
      "train",
      "--workdir=W/r --preset=smoke --set env.max_rules=1",
      "env.max_rules is 1, allowed: at least the rules that tasks can have (2)",
    ),
    (
      "train",
      "--workdir=W/r --preset=smoke --set env.num_players=2",
      "env.num_players is 2, allowed: 1",
    ),
    (
      "train",
      "--workdir=W/r --preset=smoke --set network.num_shape_ids=1",
      "network.num_shape_ids is 1, allowed: the environment's, 18",
    ),
    (
      "train",
      "--workdir=W/r --preset=smoke --set network.num_bins=1",
      "network: num_bins is 1, allowed: at least 2",
    ),
    (
      "train",
      "--workdir=W/r --preset=smoke --set run.eval_tasks=1000000",
      "to",
    ),
    ("evaluate", "--policy=noop --num_tasks=1000000000", "1 to 100000"),
    (
      "evaluate",
      "--policy=noop --preset=smoke --num_tasks=2 --coplayer=random",
      "--taskset=test has 2 tasks of one player, allowed: tasks of two players",
    ),
    (
      "evaluate",
      "--policy=explorer --taskset=two_player_probe --num_tasks=1",
      "--policy on tasks of two players",
    ),
    (
      "evaluate",
      "--policy=noop --taskset=two_player_probe --num_tasks=1 --coplayer=me",
      "--coplayer",
    ),
    ("evaluate", "--policy=noop --taskset=W/none --report=W/r", "no such file"),
    ("play", "--task=", "argument --task: an empty value"),
    ("play", "--task=sample:99999999999999999999", "is not a number from 0"),
    ("train", "--workdir=W/r --config=W/none.json", "No such file"),
    ("evaluate", "", "--workdir is missing"),
    ("evaluate", "--workdir=W/none", "error: --workdir=/"),
    ("evaluate", "--workdir=W", "not a run"),
    ("evaluate", "--policy=export", "did you mean 'expert'"),
    ("evaluate", "--policy=noop --taskset=W/none", "error: --taskset=/"),
    ("evaluate", "--policy=noop --taskset=W", "no .json file"),
    ("evaluate", "--policy=noop --trials=0,1", "'0,1' is not a list"),
    ("evaluate", "--policy=noop --trials=a", "'a' is not a list"),
    ("evaluate", "--policy=noop --num_tasks=0", "whole number from 1"),
    ("evaluate", "--policy=guide --taskset=probe", "the guide can't play it"),
    ("evaluate", "--policy=noop --preset=x", "--preset: 'x'"),
    (
      "evaluate",
      "--policy=noop --control=swapped",
      "allowed with --policy=agent only",
    ),
    (
      "evaluate",
      "--policy=noop --temperature=0",
      "'0' is not a number from 0.0001 to 100",
    ),
    (
      "evaluate",
      "--policy=noop --temperature=0.5",
      "=0.5: allowed with --policy=",
    ),
    ("evaluate", "--workdir=agent:nobody", "'nobody' is not one of"),
    ("compare", "", "required: [LABEL=]FILE"),
    ("compare", "W/none.json", "No such file"),
    ("compare", "=W/none.json", "allowed: FILE, or LABEL=FILE"),
    ("compare", "W/none.json --figure=W/a.pdf", "must end in .png"),
    ("export", "--workdir=W/none --out=W/new", "no such directory"),
    ("export", "--workdir=W --out=W/no/new", "does not exist"),
    ("watch", "--workdir=W/none --out=W/new", "no such directory"),
    ("watch", "--workdir=W --out=W/new", "not a run"),
    ("play", "--task=W/none.json", "no such task file"),
    ("play", "--task=probe:antimater", "antimatter"),
    ("play", "--task=sample:x", "'x' is not a number"),
    ("play", "--task=sample:1 --policy=agent", "--workdir is missing"),
    ("play", "--task=sample:1 --policy=me", "not one of human, agent"),
    ("play", "--task=sample:1 --video=W/a.gif", "must end in .mp4"),
    ("play", "--task=sample:1 --video=W/no/a.mp4", "does not exist"),
    ("play", "--task=sample:1 --policy=human", "needs a terminal"),
    ("prompt", "--workdir=W/none --task=sample:1", "no such directory"),
    ("prompt", "--workdir=W", "one of the arguments --task --taskset is req"),
    ("prompt", "--workdir=W --taskset=test --demo=d", "allowed with --taskset"),
    # It has no flag --workdir.
    ("status", "W/none", "error: RUN=/"),
    ("scale", "W/none --num_actors=2", "error: RUN=/"),
    ("tasks", "", "sample,show,check,complexity,worth"),
    ("tasks", "worth trapz", "trapz: no such family or folder; allowed: traps"),
    ("tasks", "worth W", "no .json file"),
    ("tasks", "worth traps:size=3", "traps has no field 'size'"),
    ("tasks", "worth traps --trials=49", "--trials=49: allowed: 1 to 48"),
    ("tasks", "soak --replay=W/none", "error: --replay=/"),
    ("tasks", "chek", "'chek'"),
    ("tasks", "show probe:nothing", "no probe is named"),
    ("tasks", "sample --split=tset", "did you mean 'test'"),
    ("tasks", "sample --num_tasks=-1", "whole number from 1"),
    ("bench", "envs", "did you mean 'env'"),
    ("bench", "env --seconds=0", "--seconds=0.0"),
  )
  def test_one_line(self, command, line, message):
    argv = line.replace("W", str(self.folder)).split()
    code, out, err = call(command, *argv)
    self.assertEqual((code, out), (2, ""), err)
    self.assertEqual(err.count("\n"), 1, err)
    self.assertIn(message, err)
    self.assertEmpty(list(self.folder.iterdir()))

  @parameterized.parameters(
    ("{", "task.json"),
    ('{"format": "adaland.task/1"}', "players"),
    (
      '{"format": "adaland.task/1", "objects": [{"type": "blak cube"}],'
      ' "players": [{"goal": "hold(player1, black cube)"}]}',
      "blak cube",
    ),
    (
      '{"format": "adaland.task/1", "objects": [],'
      ' "players": [{"goal": "hold(player1 black cube)"}]}',
      "players[0].goal",
    ),
    (
      '{"format": "adaland.task/1",'
      ' "objects": [{"type": "black cube", "frozen": true}],'
      ' "players": [{"goal": "hold(player1, black cube)"}]}',
      "can never hold: every black cube is frozen",
    ),
  )
  def test_bad_task_files(self, content, message):
    (self.folder / "task.json").write_text(content)
    code, out, err = call("tasks", "check", str(self.folder / "task.json"))
    self.assertEqual((code, out), (2, ""), err)
    self.assertEqual(err.count("\n"), 1, err)
    self.assertIn("task.json", err)
    self.assertIn(message, err)

  def test_a_world_without_room(self):
    task = {
      "format": "adaland.task/1",
      "world": {"tiles": [3, 3]},
      "objects": [{"type": "black wall", "count": 24}],
      "players": [{"goal": "near(player1, black wall)"}],
    }
    path = self.folder / "crowded.json"
    path.write_text(json.dumps(task))
    for command, *argv in (
      ("tasks", "check", str(path)),
      ("play", f"--task={path}", "--policy=noop"),
      ("evaluate", f"--taskset={path}", "--policy=noop"),
    ):
      code, out, err = call(command, *argv)
      self.assertEqual((code, out), (2, ""), err)
      self.assertEqual(err.count("\n"), 1, err)
      self.assertIn("room", err)

  def test_foreign_workdir(self):
    (self.folder / "thesis.txt").write_text("mine")
    code, _, err = call("train", f"--workdir={self.folder}", "--preset=smoke")
    self.assertEqual(code, 2)
    self.assertIn("is not a run of adaland train", err)
    self.assertLen(list(self.folder.iterdir()), 1)

  def test_config_files_name_the_field(self):
    content = json_codec.to_json(preset_configs.smoke())
    content["learner"]["muesli"]["gama"] = 0.9
    path = self.folder / "config.json"
    path.write_text(json.dumps(content))
    code, _, err = call(
      "train", f"--workdir={self.folder}/r", f"--config={path}"
    )
    self.assertEqual(code, 2)
    self.assertIn("learner.muesli.gama: no such field", err)
    self.assertIn("did you mean 'gamma'", err)

  def test_a_runs_own_config_file_starts_another(self):
    run = rundir.RunDir(str(self.folder / "old"))
    wanted = dataclasses.replace(
      preset_configs.smoke(), run=experiment.RunConfig(seed=7)
    )
    run.begin(wanted)
    args = train.make_parser().parse_args(
      [f"--workdir={self.folder}/new", f"--config={run.config}"]
    )
    self.assertEqual(train.choose_config(args), wanted)

  def test_an_agents_file_starts_a_run(self):
    path = agent_dir.SHIPPED / "laptop"
    args = train.make_parser().parse_args(
      [f"--workdir={self.folder}/new", f"--config={path / 'agent.json'}"]
    )
    self.assertEqual(train.choose_config(args), agent_dir.read(path).config)

  @parameterized.parameters(
    ({"format": agent_dir.FORMAT}, "it has no 'config'"),
    ({"format": agent_dir.FORMAT, "config": 3}, "config: 3 is not an object"),
    ({"format": "adaland.agent/0"}, "another version of Adaland wrote it"),
    ({"format": "adaland.task/1"}, "is not one of adaland.run/2, adaland.ag"),
    ({"format": 3}, "format: '3' is not one of adaland.run/2, adaland.agent/1"),
  )
  def test_files_without_a_config_are_one_line(self, content, message):
    path = self.folder / "agent.json"
    path.write_text(json.dumps(content))
    code, out, err = call(
      "train", f"--workdir={self.folder}/r", f"--config={path}"
    )
    self.assertEqual((code, out), (2, ""), err)
    self.assertStartsWith(err, f"error: --config={path}: ")
    self.assertIn(message, err)
    self.assertEqual(err.count("\n"), 1, err)

  def test_config_files_of_any_depth(self):
    path = self.folder / "config.json"
    path.write_text("[" * 100_000)
    code, _, err = call(
      "train", f"--workdir={self.folder}/r", f"--config={path}"
    )
    self.assertEqual(code, 2)
    self.assertIn("config.json: lists or objects are nested too deeply", err)

  def test_a_recording_replaces_nothing_but_a_demonstration(self):
    path = self.folder / "mine.json"
    path.write_text("mine")
    code, out, err = call("play", "--task=sample:1", f"--record={path}")
    self.assertEqual((code, out), (2, ""))
    self.assertIn("choose another name", err)
    self.assertEqual(path.read_text(), "mine")


if __name__ == "__main__":
  absltest.main()
