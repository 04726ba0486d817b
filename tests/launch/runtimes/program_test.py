"""Tests of adaland.launch.runtimes.program: the resources of roles."""

from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.config import overrides, preset_configs
from adaland.launch.roles import role
from adaland.launch.runtimes import program


class ProgramTest(absltest.TestCase):
  def setup(self, *settings, kind="reverb", many_machines=True):
    self.enter_context(
      absltest.mock.patch.object(
        program.factory, "has_replay_server", lambda setup: kind == "reverb"
      )
    )
    config = overrides.apply(preset_configs.smoke(), [*settings])
    return role.Setup(
      config,
      "/run",
      num_learners=config.cluster.num_learners,
      many_machines=many_machines,
    )

  def make(self, *settings, accelerators=0, **more):
    return program.Program(self.setup(*settings, **more), accelerators)

  def specs(self, *settings, **more):
    made = self.make(*settings, **more)
    return {spec.name: spec for spec in (*made.roles, made.actor(0))}

  def test_servers_come_before_those_that_call_them(self):
    names = [spec.name for spec in self.make("cluster.num_learners=2").roles]
    self.assertEqual(
      names,
      [
        "parameters",
        "curriculum",
        "replay",
        "learner",
        "learner 1",
        "evaluator",
      ],
    )

  def test_only_the_learner_sees_accelerators(self):
    for name, spec in self.specs(accelerators=4).items():
      if name == "learner":
        self.assertEqual(spec.gpus, 1)
        self.assertNotIn("JAX_PLATFORMS", spec.env)
        self.assertEqual(spec.env["MALLOC_ARENA_MAX"], "1")
      else:
        self.assertEqual(spec.gpus, 0)
        self.assertEqual(spec.env["JAX_PLATFORMS"], "cpu")
        self.assertEqual(spec.env["CUDA_VISIBLE_DEVICES"], "")
    spec = self.specs("cluster.learner_gpus=0", accelerators=4)["learner"]
    self.assertEqual(spec.env["JAX_PLATFORMS"], "cpu")
    self.assertEqual(spec.env["MALLOC_ARENA_MAX"], "1")

  def test_learner_and_servers_share_a_machine(self):
    specs = self.specs("cluster.num_learners=2")
    sites = {name: spec.site for name, spec in specs.items()}
    self.assertEqual(
      sites,
      {
        "parameters": 0,
        "curriculum": 0,
        "replay": 0,
        "learner": 0,
        "learner 1": 1,
        "evaluator": None,
        "actor 0": None,
      },
    )

  def test_a_leader_serves_its_workers_beside_all_others(self):
    alone = self.specs()["learner"].calls
    self.assertGreater(
      self.specs("cluster.num_learners=2")["learner"].calls, alone
    )

  def test_an_accelerator_is_not_shared_by_learners(self):
    specs = self.specs(
      "cluster.num_learners=2", many_machines=False, accelerators=1
    )
    for name in ("learner", "learner 1"):
      self.assertEqual(specs[name].gpus, 0)
      self.assertEqual(specs[name].env["JAX_PLATFORMS"], "cpu")

  def test_several_learners_need_a_replay_server(self):
    setup = self.setup("cluster.num_learners=2", kind="memory")
    with self.assertRaisesRegex(
      errors.UserError, "num_learners is 2, allowed without .*: 1$"
    ):
      program.check(setup)
    program.check(self.setup(kind="memory"))
    program.check(self.setup("cluster.num_learners=2"))

  def test_without_reverb_there_is_no_replay_server(self):
    self.assertNotIn("replay", self.specs(kind="memory"))

  def test_without_evaluations_there_is_no_evaluator(self):
    self.assertNotIn("evaluator", self.specs("cluster.eval_minutes=0"))


if __name__ == "__main__":
  absltest.main()
