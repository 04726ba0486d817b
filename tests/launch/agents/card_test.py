"""Tests of adaland.launch.agents.card."""

import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch.agents import agent_dir, card
from adaland.launch.config import (
  experiment,
  factories,
  overrides,
  preset_configs,
)
from adaland.launch.evaluation.comparison import (
  evaluation_files,
  score_tables,
  summary,
)


def _card(config=None, results=None, notes=()):
  training = agent_dir.Training(1_234_567, 890, 3720.0, "a fast machine")
  description = agent_dir.Description(
    "mine", config or preset_configs.smoke(), training
  )
  return card.write(description, "1.2", "agent:mine", 4321, results, notes)


class CardTest(parameterized.TestCase):
  def test_training_and_tasks(self):
    text = _card(notes=["Beware of spheres."])
    for line in (
      "# mine: an adaptive agent",
      "| environment steps | 1,234,567 |",
      "| wall time | 1h02m |",
      "| hardware | a fast machine |",
      "    trials = [2, 2]",
      "- Beware of spheres.",
      "| recipe | `adaland train --config=agent.json --workdir=RUN` |",
      "No evaluation came with this agent.",
      "**Privileged training: none.**",
    ):
      self.assertIn(line, text)
    self.assertIn("--workdir=agent:mine --control=swapped", text)

  def test_results(self):
    for taskset, which in (
      ("test", ", held-out tasks of its training distribution."),
      ("traps:trials=2", ", held-out tasks of that family."),
      ("my_tasks", "."),
    ):
      tables = score_tables.Tables(
        {"agent": np.full((1, 3, 2), 0.25), "expert": np.ones((1, 3, 2))},
        {name: [evaluation_files.Seed(name)] for name in ("agent", "expert")},
        4,
        taskset,
      )
      text = _card(results=summary.compare(tables))
      self.assertIn("| agent | 0.25 [0.25, 0.25] |", text)
      self.assertIn(f"tasks: `--taskset={taskset}`{which}\n", text)
      self.assertIn("![Score by trial](scores.png)", text)

  def test_what_the_parameters_were_before(self):
    self.assertIn("random parameters", _card())
    for start in ("first", "/home/me/runs/first"):
      config = overrides.apply(
        preset_configs.smoke(), [f"run.start_from={start}"]
      )
      self.assertIn("the parameters of the agent `first`", _card(config))

  def test_the_recipe_asks_for_agents_that_are_not_shipped(self):
    command = "| recipe | `adaland train --config=agent.json --workdir=RUN"
    start, teacher = "run.start_from=AGENT", "teaching.teacher=agent:TEACHER"
    for settings, expected in (
      ({"run.start_from": "runs/first"}, f" --set {start}"),
      ({"run.start_from": "agent:laptop"}, ""),
      ({"run.start_from": "laptop"}, ""),
      ({"teaching.teacher": "agent:runs/first"}, f" --set {teacher}"),
      ({"teaching.teacher": "agent:laptop"}, ""),
      ({"teaching.teacher": "explorer"}, ""),
      (
        {"run.start_from": "a", "teaching.teacher": "agent:b"},
        f" --set {start} {teacher}",
      ),
    ):
      text = _card(overrides.update(preset_configs.smoke(), settings))
      self.assertIn(f"{command}{expected}` |", text)

  def test_a_pair_memory_is_told(self):
    plain = preset_configs.smoke()
    config = overrides.apply(plain, ["network.pair_memory=true"])
    self.assertRegex(_card(config), r"\| network \| .*, a pair memory \|")
    self.assertNotIn("pair memory", _card(plain))

  def test_tasks_of_the_maker_s_own(self):
    own = factories.FactoriesConfig(tasks="mine:tasks", memory="mine:EMA")
    config = dataclasses.replace(preset_configs.smoke(), factories=own)
    text = _card(config)
    self.assertIn("training half of a family of its maker's own", text)
    self.assertIn("memory `mine:EMA`", text)

  def test_folders_of_the_maker_are_not_published(self):
    own = factories.FactoriesConfig(
      recipe="/home/me/runs.py:ema", tasks="/home/me/mine.py:fetch"
    )
    config = overrides.update(
      dataclasses.replace(preset_configs.smoke(), factories=own),
      {
        "teaching.teacher": "agent:/home/me/runs/secret",
        "teaching.taught": 0.5,
        "learner.privileged.distillation_weight": 1.0,
      },
    )
    text = _card(config)
    self.assertNotIn("/home", text)
    self.assertIn("training half of a family of its maker's own", text)
    self.assertIn("| recipe | `runs.py:ema` |", text)
    self.assertEqual(text.count("the agent `secret`"), 2)
    own = factories.FactoriesConfig(tasks="/home/me/tasks")
    text = _card(dataclasses.replace(preset_configs.smoke(), factories=own))
    self.assertIn("training half of a folder of task files of its", text)

  def test_an_agent_with_own_parts_needs_its_maker_s_code(self):
    own = factories.FactoriesConfig(
      environment="/home/me/icy.py:Icy", memory="mine:EMA"
    )
    text = _card(dataclasses.replace(preset_configs.smoke(), factories=own))
    for piece in (
      "adaland watch --workdir=agent:mine --own_parts\n",
      "adaland train --config=agent.json --workdir=RUN --own_parts`",
      "--workdir=agent:mine --control=swapped --own_parts\n",
      'adaland.load_agent("agent:mine", own_parts=True)\n',
      "own code (memory `mine:EMA`, environment `icy.py:Icy`), which",
    ):
      self.assertIn(piece, text)
    self.assertNotIn("own_parts", _card())

  def test_a_control_without_memory_and_a_world_for_two(self):
    config = overrides.update(
      preset_configs.smoke(),
      {
        "network.memory": "none",
        "env.num_players": 2,
        "tasks.two_player_probability": 0.5,
      },
    )
    text = _card(config)
    self.assertIn("no memory of those before", text)
    self.assertNotIn("keeps its memory", text)
    self.assertIn("- Worlds of one or two players, at most", text)

  def test_privileged_training_is_listed(self):
    config = experiment.ExperimentConfig()
    config = overrides.update(
      config,
      {
        "teaching.teacher": "explorer",
        "teaching.taught": 0.125,
        "teaching.demonstrated": 0.25,
        "teaching.demonstrator": "guide",
        "network.belief": True,
        "network.privileged_critic": True,
        "learner.privileged.belief_weight": 0.3,
        "learner.privileged.distillation_weight": 2.0,
        "learner.privileged.distillation_alone": 0.2,
        "learner.privileged.distillation_share": 0.8,
        "learner.privileged.critic_weight": 0.7,
      },
    )
    text = card.privileged(config)
    for piece in (
      "weight 0.3",
      "`explorer`, which labels the agent's own states: weight 2,",
      "without reinforcement learning in the first 20% of the run; then "
      "reinforcement learning took over by 80%",
      "told the true rules, weight 0.7",
      "12% of the training episodes were played by the scripted `explorer`",
      "in 25% of the training episodes the guide, which is told the rules",
    ):
      self.assertIn(piece, text)
    self.assertEqual(text.count("\n- "), 5)

  @parameterized.parameters(
    (0.0, True, "reinforcement learning took over by 80% of the run"),
    (0.0, False, "next to reinforcement learning, gone after 80% of the run"),
    (
      0.2,
      False,
      "in the first 20% of the run; then next to reinforcement learning, gone "
      "after 80%",
    ),
  )
  def test_the_schedule_of_distillation(self, alone, replaces, expected):
    config = overrides.update(
      experiment.ExperimentConfig(),
      {
        "teaching.teacher": "explorer",
        "learner.privileged.distillation_weight": 1.0,
        "learner.privileged.distillation_alone": alone,
        "learner.privileged.distillation_share": 0.8,
        "learner.privileged.distillation_replaces": replaces,
      },
    )
    self.assertIn(expected + "\n", card.privileged(config) + "\n")

  def test_imitation_alone_is_not_called_reinforcement_learning(self):
    text = _card(preset_configs.laptop())
    self.assertIn("weight 1, without reinforcement learning during", text)
    self.assertIn("| algorithm | imitation alone, no reinforcement", text)
    self.assertIn("| algorithm | Muesli (arXiv 2104.06159), learning", _card())


if __name__ == "__main__":
  absltest.main()
