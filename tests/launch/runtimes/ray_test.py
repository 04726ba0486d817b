"""Tests of adaland.launch.runtimes.ray on a stand-in for Ray."""

import types
from typing import Any

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.config import overrides, preset_configs
from adaland.launch.roles import role
from adaland.launch.runtimes import program, ray, runtime
from tests.launch.roles import fakes


class _Options:
  """The result of `ray.remote`: keeps the options of each actor."""

  def __init__(self, made):
    self.made, self.given = made, {}

  def options(self, **given):
    self.given = given
    return self

  def remote(self, name, setup):
    handle = types.SimpleNamespace(
      run=fakes.Method(fakes.Reference(ready=False)),
      call=fakes.Method({"incarnation": "a"}),
    )
    self.made[name] = handle, self.given, setup
    return handle


class RayRuntimeTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.made: dict[str, Any] = {}
    self.groups: list[Any] = []
    self.room = True
    fake: Any = fakes.FakeRay()
    self.ray = fake
    self.ray.remote = lambda cls: _Options(self.made)
    self.ray.cluster_resources = lambda: {"CPU": 8.0, "GPU": 2.0}
    self.ray.available_resources = self.ray.cluster_resources
    self.ray.util = types.SimpleNamespace(
      placement_group=self.group,
      scheduling_strategies=types.SimpleNamespace(
        PlacementGroupSchedulingStrategy=(
          lambda group, placement_group_bundle_index: (
            placement_group_bundle_index
          )
        )
      ),
    )
    self.enter_context(fakes.installed(self.ray))

  def group(self, bundles, strategy):
    self.groups.append((bundles, strategy))
    return types.SimpleNamespace(wait=lambda seconds: self.room)

  def make(self, *specs, address="head:1", num_learners=1):
    made = ray.RayRuntime(address)
    config = overrides.apply(
      preset_configs.smoke(), [f"cluster.num_learners={num_learners}"]
    )
    made.setup(config, "/run")
    made.start(specs)
    return made

  def spec(self, name, cpus=1.0, gpus=0, site=None):
    return program.RoleSpec(name, cpus, gpus, {"X": name}, site)

  def test_ray_keeps_roles_alive(self):
    made = self.make(spec := self.spec("actor 0", 2.0, 1))
    _, options, setup = self.made["actor 0"]
    self.assertEqual(options["name"], "actor 0")
    self.assertEqual(options["max_concurrency"], spec.calls)
    self.assertEqual(options["max_restarts"], -1)
    self.assertEqual(options["max_task_retries"], -1)
    self.assertIs(options["enable_task_events"], False)
    self.assertEqual((options["num_cpus"], options["num_gpus"]), (2.0, 1))
    self.assertEqual(options["scheduling_strategy"], "SPREAD")
    self.assertEqual(options["runtime_env"]["env_vars"]["X"], "actor 0")
    self.assertTrue(setup.many_machines and setup.restarts_alone)
    self.assertEqual(made.accelerators(), 2)

  def test_learner_and_servers_get_room_together(self):
    self.make(
      self.spec("curriculum", 0.0, site=0),
      self.spec("replay", 2.0, site=0),
      self.spec("learner", 3.0, 2.0, site=0),
      self.spec("evaluator"),
    )
    self.assertEqual(self.groups, [([{"CPU": 5.0, "GPU": 2.0}], "SPREAD")])
    for name in ("curriculum", "replay", "learner"):
      self.assertEqual(self.made[name][1]["scheduling_strategy"], 0, name)
    self.assertNotIn("scheduling_strategy", self.made["evaluator"][1])

  def test_several_learners_each_get_room(self):
    learners = (
      self.spec("learner", 3.0, 1.0, 0),
      self.spec("learner 1", 3.0, 1.0, 1),
    )
    self.make(self.spec("replay", 2.0, site=0), *learners, num_learners=2)
    self.assertEqual(
      self.groups,
      [([{"CPU": 5.0, "GPU": 1.0}, {"CPU": 3.0, "GPU": 1.0}], "SPREAD")],
    )
    self.assertEqual(self.made["learner 1"][1]["scheduling_strategy"], 1)

  def test_learners_that_take_nothing_need_no_room(self):
    learners = (
      self.spec("learner", 0.0, 0.0, 0),
      self.spec("learner 1", 0.0, 0.0, 1),
    )
    self.make(self.spec("replay", 1.0, site=0), *learners, num_learners=2)
    self.assertEqual(self.groups, [([{"CPU": 1.0}], "SPREAD")])
    self.assertNotIn("scheduling_strategy", self.made["learner 1"][1])

  def test_without_room_one_line_names_what_is_missing(self):
    self.room = False
    with self.assertRaisesRegex(
      errors.UserError, "has 1001 CPU for the learner.*8 of 8 CPU free"
    ):
      self.make(self.spec("learner", 1001.0, site=0))
    learners = (
      self.spec("learner", 2.0, 0.0, 0),
      self.spec("learner 1", 1.0, 0.0, 1),
    )
    with self.assertRaisesRegex(
      errors.UserError, "replay server, or others lack 1 CPU each .waited"
    ):
      self.make(*learners, num_learners=2)

  def test_on_one_machine_room_does_not_matter(self):
    self.make(self.spec("learner", 1001.0, site=0), address="")
    self.assertEmpty(self.groups)
    self.assertEqual(self.made["learner"][1]["num_cpus"], 0)

  def test_an_answer_is_a_heartbeat(self):
    made = self.make(self.spec("actor 0"))
    self.made["actor 0"][0].call.answers = [{"incarnation": "a", "steps": 3}]
    (event,) = made.poll(0.1)
    self.assertEqual(
      event, runtime.Heartbeat("actor 0", {"incarnation": "a", "steps": 3})
    )

  def test_another_incarnation_is_a_death(self):
    made = self.make(self.spec("actor 0"))
    answers = self.made["actor 0"][0].call.answers
    answers[:] = [{"incarnation": "a"}, {"incarnation": "b"}]
    made.poll(0.1)
    died, answered = made.poll(0.1)
    self.assertEqual(died, runtime.Died("actor 0"))
    self.assertIsInstance(answered, runtime.Heartbeat)

  def test_a_role_on_its_way_back_is_asked_again(self):
    made = self.make(self.spec("actor 0"))
    answers = self.made["actor 0"][0].call.answers
    answers[:] = [fakes.ActorUnavailableError(), {"incarnation": "a"}]
    self.assertEmpty(made.poll(0.1))
    self.assertLen(made.poll(0.1), 1)

  def test_a_role_is_not_asked_twice_at_a_time(self):
    made = self.make(self.spec("actor 0"))
    call = self.made["actor 0"][0].call
    call.answers = [fakes.Reference(ready=False)]
    for _ in range(3):
      self.assertEmpty(made.poll(0.1))
    self.assertLen(call.calls, 1)

  def test_the_end_of_a_run_is_an_event(self):
    failure = role.Failure("ValueError: x", False, False)
    for value, expected in (
      (None, None),
      (failure, failure),
      (
        fakes.RayActorError("no more"),
        role.Failure("is gone: no more", False, True),
      ),
    ):
      made = self.make(self.spec("actor 0"))
      (running,) = self.made["actor 0"][0].run.answers
      running.value, running.ready = value, True
      self.assertIn(runtime.Ended("actor 0", expected), made.poll(0.1))

  def test_restarting_kills_and_runs_again_if_its_run_has_ended(self):
    made = self.make(self.spec("actor 0"))
    handle = self.made["actor 0"][0]
    made.restart("actor 0")
    self.assertEqual(self.ray.killed, [(handle, False)])
    self.assertLen(handle.run.calls, 1)
    handle.run.answers[0].ready = True
    made.poll(0.1)
    made.restart("actor 0")
    self.assertLen(handle.run.calls, 2)

  def test_a_role_is_told_to_stop(self):
    made = self.make(self.spec("actor 0"))
    made.stop("actor 0")
    self.assertEqual(self.made["actor 0"][0].call.calls, [("stop",)])

  def test_removing_kills_for_good(self):
    made = self.make(self.spec("actor 0"))
    handle = self.made["actor 0"][0]
    made.remove("actor 0")
    self.assertEqual(self.ray.killed, [(handle, True)])

  def test_what_was_not_opened_is_not_closed(self):
    self.make().close()
    self.assertEqual(self.ray.shutdowns, 0)


if __name__ == "__main__":
  absltest.main()
