"""Tests of adaland.launch.bench.actor on the smallest run."""

from absl.testing import absltest, parameterized

from adaland.launch.bench import actor
from adaland.launch.config import preset_configs
from adaland.launch.recipes import task_source
from tests.launch.runtimes.single import configs


class AloneTest(absltest.TestCase):
  def test_its_tasks_are_the_runs_family(self):
    config = preset_configs.laptop()
    self.assertNotEmpty(config.tasks.family)
    alone = actor.Alone(config, params=None)
    tasks = [alone.next_task().task for _ in range(8)]
    for task in tasks:
      task_source.check_room(task, config.env, "the run's")
    self.assertEqual(tasks[1], task_source.TaskSource(config).task(1))


class ActorTest(parameterized.TestCase):
  @parameterized.parameters("local", "device")
  def test_measures_an_actor_against_its_ceiling(self, launcher):
    with (
      absltest.mock.patch.object(actor.preflight, "prepare") as prepare,
      absltest.mock.patch.object(
        actor.hardware, "product_flop_per_s", return_value=1e12
      ),
    ):
      found = actor.actor(configs.tiny(), 0.05, launcher)
    self.assertEqual(prepare.called, launcher == "device")
    self.assertEqual(found["actor_num_envs_count"], 3)
    self.assertGreater(found["actor_steps_per_cpu_s"], 0)
    self.assertAlmostEqual(
      found["actor_env_ms"] + found["actor_act_ms"], found["actor_step_ms"]
    )
    # The cpu back end can't be measured alone, so acting is the only ceiling.
    self.assertAlmostEqual(
      found["actor_ceiling_steps_per_s"], found["actor_acting_steps_per_s"]
    )
    self.assertAlmostEqual(
      found["actor_ratio"],
      found["actor_steps_per_s"] / found["actor_acting_steps_per_s"],
    )
    self.assertLess(found["actor_ratio"], 1)


if __name__ == "__main__":
  absltest.main()
