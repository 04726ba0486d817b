"""Tests of adaland.launch.evaluation.prompting; train_test has an agent."""

import dataclasses
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.envs import land
from adaland.envs.sampling import candidates
from adaland.envs.tasks.task import Hiding
from adaland.launch.evaluation import prompting
from tests.launch import fakes

_AGENT, _TEACHER = 2, 1


def _land(*tasks) -> tuple[Any, Any]:
  made = fakes.FakeLand(len(tasks), None, lambda i: tasks[i])
  return made, made.reset()


class DemonstratorTest(absltest.TestCase):
  def test_the_guide_demonstrates_the_tasks_that_it_can_play(self):
    simple = candidates.Traps().task(0)
    other = dataclasses.replace(simple, hiding=(Hiding(),))
    for tasks, name in (
      ([simple, simple], "guide"),
      ([simple, other], "expert"),
    ):
      self.assertEqual(prompting.demonstrator(tasks), name)


class PromptedTest(absltest.TestCase):
  def test_the_teacher_acts_in_the_first_trial_and_the_agent_observes(self):
    land, now = _land(fakes.make_task(trials=3))
    agent, teacher = fakes.Constant(2), fakes.Constant(1)
    prompted = prompting.Prompted(agent, teacher)
    while not now.last[0]:
      now = land.step(prompted.act(now))
    done = np.array(land.actions)[:, 0, 0].tolist()
    self.assertEqual(done, [1] * 15 + [2] * 30)
    self.assertEqual((agent.num_calls, teacher.num_calls), (45, 15))

  def test_each_row_is_taught_in_its_own_first_trial(self):
    land, now = _land(
      fakes.make_task(seconds=2.0), fakes.make_task(seconds=4.0)
    )
    prompted = prompting.Prompted(fakes.Constant(2), fakes.Constant(1))
    for _ in range(45):
      now = land.step(prompted.act(now))
    done = np.array(land.actions)[:, :, 0].T.tolist()
    # The first row's second episode begins with a step that takes no action.
    self.assertEqual(
      done, [[1] * 15 + [2] * 16 + [1] * 14, [1] * 30 + [2] * 15]
    )

  def test_recorded_actions_come_one_by_one(self):
    recorded = prompting.Recorded(np.arange(12).reshape(2, 6))
    _, now = _land(fakes.make_task())
    for start in (0, 6):
      np.testing.assert_array_equal(
        recorded.act(now), [np.arange(start, start + 6)]
      )


class EvaluateTest(absltest.TestCase):
  def evaluate(self, **more):
    """Evaluates three tasks of two trials, twice each, with made-up rewards."""

    def play(config, jobs, make_policy, seed, on_progress, recorder):
      del config
      on_progress(1.0)
      for _ in range(30):
        recorder.act(2, np.zeros(6))
      recorder.end(2, jobs[2], seed, 0, [1.0, 2.0])
      self.assertEqual({job.trials for job in jobs}, {2})
      none, first = np.zeros(1, bool), np.ones(1, bool)
      start = absltest.mock.Mock(first=first, trial_last=none)
      action = make_policy(absltest.mock.Mock(num_envs=1)).act(start)
      gain = 1.0 if action[0, 0] == _TEACHER else 0.0
      return [np.array([float(j.name), gain + i]) for i, j in enumerate(jobs)]

    def expert_rewards(tasks, make_land, seed, progress):
      self.assertEqual(seed, 5)
      progress(1, len(tasks))
      return np.array([4, 0.5, 0.0])

    self.said = []
    tasks = [fakes.make_task(name, trials=1) for name in ("4", "0.5", "0")]
    with (
      absltest.mock.patch.object(prompting.rollout, "play", play),
      absltest.mock.patch.object(
        prompting.expert, "expert_rewards", expert_rewards
      ),
    ):
      return prompting.evaluate(
        land.maker(land.LandConfig()),
        tasks,
        trials=2,
        make_agent=lambda envs: fakes.Constant(_AGENT),
        seed=5,
        repeats=2,
        say=self.said.append,
        make_teacher=lambda envs: fakes.Constant(_TEACHER),
        **more,
      )

  def test_scores_leave_out_what_the_expert_can_t_do(self):
    result = self.evaluate(keep=[1])
    # Second trials of two episodes each: 0 1, 2 3; one more with the
    # demonstration.
    np.testing.assert_allclose(
      result["unprompted"]["mean"], [1, (0.5 / 4 + 2.5 / 0.5) / 2]
    )
    np.testing.assert_allclose(
      result["prompted"]["mean"], [1, (1.5 / 4 + 3.5 / 0.5) / 2]
    )
    # From the second task, whose first episode is the third.
    kept = [(each["task"], each["policy"]) for each in result["episodes"]]
    self.assertEqual(kept, [(1, "prompted"), (1, "unprompted")])
    self.assertEqual((result["num_tasks"], result["num_scored"]), (3, 2))
    self.assertEqual(
      result["tasks"][1],
      {
        "id": "0.5",
        "prompted": [0.5, 3.5],
        "unprompted": [0.5, 2.5],
        "expert": 0.5,
      },
    )
    self.assertEqual(
      self.said, ["expert: 33%", "prompted: 100%", "unprompted: 100%"]
    )

  def test_episodes_are_kept_on_request_only(self):
    self.assertNotIn("episodes", self.evaluate())


if __name__ == "__main__":
  absltest.main()
