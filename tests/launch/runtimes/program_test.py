"""Tests of program: what roles take, and where they go."""

import types
from typing import Any

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.config import overrides, presets
from adaland.launch.roles import role
from adaland.launch.runtimes import program
from tests.launch.roles import fakes


class _Class:
  """What `ray.remote` makes of a class."""

  def __init__(self, made, cls):
    self.made, self.cls, self.given = made, cls, {}

  def options(self, **given):
    self.given = given
    return self

  def remote(self, *args):
    self.made[self.given["name"]] = (self.cls.__name__, self.given, args)
    return self.given["name"]


class CrewTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.made: dict[str, Any] = {}
    self.groups: list[Any] = []
    self.room = True
    self.resources = {"CPU": 8.0, "GPU": 0.0}
    ray: Any = fakes.FakeRay()
    ray.remote = lambda cls: _Class(self.made, cls)
    ray.cluster_resources = ray.available_resources = lambda: self.resources
    ray.util = types.SimpleNamespace(
      placement_group=self.group,
      scheduling_strategies=types.SimpleNamespace(
        PlacementGroupSchedulingStrategy=(
          lambda group, placement_group_bundle_index: (
            placement_group_bundle_index
          )
        )
      ),
    )
    self.enter_context(fakes.installed(ray))

  def group(self, bundles, strategy):
    self.groups.append((bundles, strategy))
    return types.SimpleNamespace(wait=lambda seconds: self.room)

  def make(self, *settings, many_machines=True, kind="reverb"):
    config = overrides.apply(presets.smoke(), [*settings])
    with absltest.mock.patch.object(
      program.factory, "resolve_kind", lambda _: kind
    ):
      return program.Crew(role.Setup(config, "/run", many_machines))

  def test_the_roles_and_what_they_know(self):
    made = self.make()
    self.assertEqual(
      {name: cls for name, (cls, _, _) in self.made.items()},
      {
        "board": "Board",
        "curriculum": "DeskRole",
        "replay": "ReplayRole",
        "learner": "LearnerRole",
        "evaluator": "EvaluatorRole",
      },
    )
    self.assertEqual(list(made.roles), list(self.made))
    made.actor(2)
    _, options, (index, _, board, desk, store) = self.made["actor 2"]
    self.assertEqual(
      (index, board._name, desk._name), (2, "board", "curriculum")
    )
    self.assertIsNone(store)
    self.assertEqual(options["max_restarts"], -1)
    self.assertEqual(options["max_task_retries"], -1)
    self.assertIs(options["enable_task_events"], False)

  def test_only_the_learner_sees_accelerators(self):
    self.resources = {"CPU": 8.0, "GPU": 4.0}
    self.make().actor(0)
    for name, (_, options, _) in self.made.items():
      env = options["runtime_env"]["env_vars"]
      if name == "learner":
        self.assertEqual(options["num_gpus"], 1)
        self.assertNotIn("JAX_PLATFORMS", env)
        self.assertEqual(env["MALLOC_ARENA_MAX"], "1")
      else:
        self.assertEqual(options["num_gpus"], 0)
        self.assertEqual(env["JAX_PLATFORMS"], "cpu")
        self.assertEqual(env["CUDA_VISIBLE_DEVICES"], "")
    self.made.clear()
    self.make("cluster.learner_gpus=0")
    env = self.made["learner"][1]["runtime_env"]["env_vars"]
    self.assertEqual(env["JAX_PLATFORMS"], "cpu")
    self.assertEqual(env["MALLOC_ARENA_MAX"], "1")

  def test_learner_and_replay_sit_together(self):
    self.resources = {"CPU": 8.0, "GPU": 4.0}
    made = self.make(
      "cluster.learner_cpus=3",
      "cluster.replay_cpus=2",
      "cluster.learner_gpus=2",
    )
    self.assertEqual(self.groups, [([{"CPU": 5.0, "GPU": 2.0}], "SPREAD")])
    made.actor(0)
    strategies = {
      name: options.get("scheduling_strategy")
      for name, (_, options, _) in self.made.items()
    }
    for name in ("board", "curriculum", "replay", "learner"):
      self.assertEqual(strategies[name], 0, name)
    self.assertIsNone(strategies["evaluator"])
    self.assertEqual(strategies["actor 0"], "SPREAD")

  def test_several_learners_each_have_a_place(self):
    self.resources = {"CPU": 8.0, "GPU": 2.0}
    made = self.make(
      "cluster.num_learners=2",
      "cluster.learner_cpus=3",
      "cluster.replay_cpus=2",
    )
    self.assertEqual(
      self.groups,
      [([{"CPU": 5.0, "GPU": 1.0}, {"CPU": 3.0, "GPU": 1.0}], "SPREAD")],
    )
    self.assertIn("learner 1", made.roles)
    _, first, (*_, followers) = self.made["learner"]
    cls, second, (rank, _, board, leader) = self.made["learner 1"]
    self.assertEqual((cls, rank), ("FollowerRole", 1))
    self.assertEqual((board._name, leader._name), ("board", "learner"))
    self.assertEqual([peer._name for peer in followers], ["learner 1"])
    for place, options in enumerate((first, second)):
      self.assertEqual(options["scheduling_strategy"], place)
      self.assertEqual(options["num_gpus"], 1)
    # All followers may wait for an answer, and the driver still gets one.
    self.assertGreater(first["max_concurrency"], program._THREADS)

  def test_an_accelerator_is_not_shared(self):
    self.resources = {"CPU": 8.0, "GPU": 1.0}
    self.make("cluster.num_learners=2", many_machines=False)
    for name in ("learner", "learner 1"):
      options = self.made[name][1]
      self.assertEqual(options["num_gpus"], 0)
      self.assertEqual(
        options["runtime_env"]["env_vars"]["JAX_PLATFORMS"], "cpu"
      )

  def test_learners_that_take_nothing_need_no_place(self):
    made = self.make("cluster.num_learners=2", "cluster.learner_cpus=0")
    self.assertEqual(self.groups, [([{"CPU": 1.0}], "SPREAD")])
    self.assertIn("learner 1", made.roles)
    self.assertNotIn("scheduling_strategy", self.made["learner 1"][1])

  def test_several_learners_need_a_replay_server(self):
    config = overrides.apply(presets.smoke(), ["cluster.num_learners=2"])
    for kind, refused in (("memory", True), ("reverb", False)):
      with absltest.mock.patch.object(
        program.factory, "resolve_kind", lambda _, kind=kind: kind
      ):
        if refused:
          with self.assertRaisesRegex(
            errors.UserError, "num_learners is 2, allowed without .*: 1$"
          ):
            program.check(config)
        else:
          program.check(config)
    with absltest.mock.patch.object(
      program.factory, "resolve_kind", lambda _: "memory"
    ):
      program.check(presets.smoke())

  def test_without_room_one_line_says_what_is_missing(self):
    self.room = False
    with self.assertRaisesRegex(
      errors.UserError, "has 1002 CPU for the learner.*8 of 8 CPU free"
    ):
      self.make("cluster.learner_cpus=1001")
    with self.assertRaisesRegex(
      errors.UserError, "replay server, or others have not 1 CPU each .waited"
    ):
      self.make("cluster.num_learners=2")

  def test_on_one_machine_room_does_not_matter(self):
    self.make("cluster.learner_cpus=1001", many_machines=False).actor(0)
    self.assertEmpty(self.groups)
    for _, options, _ in self.made.values():
      self.assertEqual(options["num_cpus"], 0)

  def test_without_reverb_the_learner_is_the_store(self):
    made = self.make(kind="memory")
    self.assertNotIn("replay", made.roles)
    made.actor(0)
    self.assertEqual(self.made["actor 0"][2][-1]._name, "learner")

  def test_without_an_evaluator(self):
    self.assertNotIn("evaluator", self.make("cluster.eval_minutes=0").roles)


if __name__ == "__main__":
  absltest.main()
