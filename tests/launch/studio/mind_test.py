"""Tests of an agent whose beliefs and attention can be seen."""

import jax
import numpy as np
from absl.testing import absltest

from adaland.envs import constants, land
from adaland.envs.tasks.task import Task
from adaland.launch import builder
from adaland.launch.agents import agent_dir
from adaland.launch.config import overrides, preset_configs
from adaland.launch.evaluation import policies, trained_agent
from adaland.launch.studio import mind


def _agent(belief):
  """Returns an agent that was not trained, with or without a belief."""
  config = preset_configs.smoke()
  if belief:
    config = trained_agent.load_config("agent:mixture")
  assert config.network.belief == belief
  return trained_agent.SavedAgent(config, {}, agent_dir.Training(0, 0, 0.0))


def _steps(config, count):
  """Returns steps with made-up observations; the third begins an episode."""
  rng = np.random.Generator(np.random.PCG64(2))
  for i in range(count):
    observation = {
      name: np.asarray(rng.integers(0, 2, (1, *shape)), dtype)
      for name, (shape, dtype) in land.observation_spec(config.env).items()
    }
    no = np.zeros(1, bool)
    first = np.array([i in (0, 2)])
    yield land.Step(observation, np.zeros(1), first, no, no, np.ones(1))


class MindTest(absltest.TestCase):
  def test_it_acts_as_the_agent_and_its_thoughts_have_their_forms(self):
    agent = _agent(belief=True)
    init = builder.agent(agent.config).network.init
    agent = agent._replace(params=init(jax.random.PRNGKey(1)))
    made = mind.Mind(agent, seed=5)
    actor = builder.agent(agent.config).actor
    same = policies.Agent(actor, agent.params, 1, seed=5)
    for i, step in enumerate(_steps(agent.config, 6)):
      np.testing.assert_array_equal(made.act(step), same.act(step))
      thought = made.thought
      assert thought is not None
      assert thought.belief is not None
      assert thought.gaze is not None
      self.assertEqual(thought.belief.shape, (2, constants.NUM_OBJECT_TYPES))
      self.assertBetween(thought.belief.min(), 0, 1)
      self.assertBetween(thought.belief.max(), 0, 1)
      # Attention is shared among entities in view, marked by the first column.
      in_view = step.observation["entities"][0, :, 0] > 0
      self.assertLen(thought.gaze, len(in_view))
      self.assertTrue((thought.gaze[~in_view] == 0).all())
      self.assertAlmostEqual(
        float(thought.gaze.sum()), float(in_view.any()), places=5
      )
      # Each layer attends to the steps of the episode, this one included.
      self.assertLen(thought.past, agent.config.network.num_layers)
      for weights in thought.past:
        self.assertLen(weights, [1, 2, 1, 2, 3, 4][i])
        self.assertAlmostEqual(float(weights.sum()), 1.0, places=5)

  def test_a_value_that_was_never_learned_is_not_told(self):
    # The same network as in the test above, which it need not compile again.
    agent = _agent(belief=True)
    config = agent.config
    init = builder.agent(config).network.init
    params = init(jax.random.PRNGKey(1))
    for alone, told in ((0.5, True), (1.0, False)):
      config = overrides.apply(
        config,
        [
          "learner.algorithm=muesli",
          "learner.privileged.distillation_share=1.0",
          f"learner.privileged.distillation_alone={alone}",
        ],
      )
      made = mind.Mind(agent._replace(config=config, params=params), seed=5)
      made.act(next(_steps(config, 1)))
      assert made.thought is not None
      self.assertEqual(made.thought.value is not None, told)

  def test_the_truth_names_what_the_goal_needs_and_what_leads_astray(self):
    task = Task.of(
      goal="near(player1, black sphere)",
      objects=["black cube", "purple pyramid"],
      rules=[
        "near(player1, black cube) -> black sphere",
        "near(player1, purple pyramid) -> nothing",
      ],
    )
    right = mind.truth(_agent(belief=True), task)
    assert right is not None
    cube, pyramid = (spec.type.type_id - 1 for spec in task.objects)
    expected = np.zeros((2, constants.NUM_OBJECT_TYPES))
    expected[0, cube] = expected[1, pyramid] = 1
    np.testing.assert_array_equal(right, expected)
    self.assertEqual(mind.types_of(task, reveal=True), [4, 7, 11])
    self.assertEqual(mind.types_of(task, reveal=False), [4, 11])
    self.assertIsNone(mind.truth(_agent(belief=False), task))


if __name__ == "__main__":
  absltest.main()
