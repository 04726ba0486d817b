"""Tests of experiment; preset_configs_test has the errors of single fields."""

import dataclasses
from typing import Any

from absl.testing import absltest, parameterized

from adaland.launch.config import (
  experiment,
  json_codec,
  overrides,
  preset_configs,
)


def _smoke(*settings):
  return overrides.apply(preset_configs.smoke(), settings)


class ConfigTest(parameterized.TestCase):
  def test_defaults_fit_together(self):
    made = experiment.ExperimentConfig()
    # 6 trials of 40 s, 7.5 steps a second.
    self.assertEqual(made.longest_episode, 1800)
    self.assertFalse(made.whole_episodes)

  def test_a_config_with_a_list_has_a_hash(self):
    trials: Any = [1, 2]
    made = experiment.ExperimentConfig(
      run=experiment.RunConfig(eval_trials=trials)
    )
    self.assertEqual(made.run.eval_trials, (1, 2))
    self.assertIsInstance(hash(made), int)

  def test_an_unroll_as_long_as_the_episode_is_the_whole_of_it(self):
    self.assertEqual(_smoke().longest_episode, 30)
    self.assertTrue(_smoke("actor.unroll_length=30").whole_episodes)
    self.assertFalse(_smoke("actor.unroll_length=29").whole_episodes)

  @parameterized.parameters(
    ("env.num_slots=3", r"env.num_slots is 3, .*can have \(4\)"),
    ("tasks.split=test", "tasks.split is 'test', allowed: train"),
    ("network.action_sizes=3,3", "network.action_sizes is .3, 3.,"),
    ("actor.envs_per_actor=0", "envs_per_actor is 0, allowed"),
    ("actor.num_actors=1025", "num_actors is 1025, allowed: 1 to 1024"),
    ("actor.params_poll_seconds=0", "params_poll_seconds is 0.0"),
    ("cluster.num_learners=0", "num_learners is 0, allowed: 1 to 1024"),
    (
      "cluster.num_learners=3",
      r"cluster.num_learners is 3, .*divisor of replay.batch_size \(4\)",
    ),
    ("run.seed=-1", "seed is -1, allowed: a number from 0"),
    ("run.seed=2147483648", "seed is 2147483648, allowed: below 2..31"),
    ("run.publish_updates=0", "publish_updates is 0, allowed: at least 1"),
    ("run.log_seconds=0", "log_seconds is 0.0, allowed: above 0"),
    ("run.checkpoint_minutes=-1", "checkpoint_minutes is -1.0"),
    ("env.num_players=2", "env.num_players is 2, allowed: 1, as all tasks"),
    (
      "tasks.two_player_probability=0.5",
      "env.num_players is 1, allowed: 2, with .*two_player_probability=0.5",
    ),
    ("coplayers.self_share=2", "coplayers.self_share is 2.0, allowed: 0 to 1"),
    ("run.eval_trials=[]", "eval_trials is .., allowed: numbers from 1"),
  )
  def test_what_does_not_fit_is_refused(self, setting, message):
    with self.assertRaisesRegex(ValueError, message):
      _smoke(setting)

  @parameterized.parameters(
    "run.seed=-1",
    "actor.unroll_length=1",
    "env.num_threads=-1",
    "tasks.max_objects=0",
    "curriculum.kind=easy",
    "curriculum.noop.evaluations=0",
    "curriculum.plr.beta=0",
    "curriculum.learnability.rollouts=1",
    "coplayers.pool_size=-1",
    "network.d_model=0",
    "network.memory=lstm",
    "network.patches.num_layers=0",
    "learner.learning_rate=0",
    "learner.muesli.gamma=2",
    "learner.muesli.cmpo=full",
    "learner.actor_critic.ratio_clip=0",
    "learner.proxy.share=0",
    "learner.privileged.belief_weight=-1",
    "replay.capacity=0",
    "replay.kind=redis",
    "cluster.num_learners=0",
    "device.memory_fraction=1",
    "teaching.taught=2",
  )
  def test_every_group_names_the_value_and_what_is_allowed(self, setting):
    path, _, value = setting.partition("=")
    field = path.rpartition(".")[2]
    message = rf"{field} is '?{value}(\.0)?'?, allowed: \S"
    with self.assertRaisesRegex(ValueError, message):
      _smoke(setting)

  @parameterized.parameters(
    (
      (
        "env.observation=pixels",
        "network.vision=patches",
        "network.patches.size=10",
      ),
      "network.patches.size is 10, .* height, 18 pixels, of which 8",
    ),
    (
      (
        "curriculum.kind=noop",
        "teaching.teacher=explorer",
        "teaching.taught=1.0",
      ),
      "taught . teaching.demonstrated is 1.0, allowed: below 1: .*'noop'",
    ),
    (
      (
        "env.num_players=2",
        "tasks.two_player_probability=1",
        "teaching.demonstrated=0.5",
      ),
      r"teaching.demonstrated. is .'none', 0.5., allowed: .* play alone",
    ),
    (("learner.algorithm=dqn",), "algorithm is 'dqn', allowed: muesli, ppo"),
    (
      ("network.pair_memory=true", "env.observation=pixels"),
      "network.pair_memory is True, allowed: False with .* 'pixels'",
    ),
    (
      ("network.pair_memory=true", "network.memory=none"),
      "pair_memory is True, allowed: False with memory 'none'",
    ),
    (("network.vision=vit",), "vision is 'vit', allowed: torso, patches"),
    (("curriculum.kind=easy",), "kind is 'easy', allowed: .*learnability"),
  )
  def test_parts_that_do_not_fit_are_refused(self, settings, message):
    with self.assertRaisesRegex(ValueError, message):
      _smoke(*settings)

  @parameterized.parameters(
    (
      ("network.memory=griffin", "network.local_length=30"),
      "local_length is 30",
    ),
    (("network.attention_sinks=4",), r"memory_length is 30, .*\(30 steps\)"),
    (("teaching.teacher=agent:",), "agent:NAME, agent:DIRECTORY"),
    (
      ("learner.privileged.distillation_l2=1e-4",),
      "distillation_l2 is 0.0001, allowed: 0 without distillation_weight",
    ),
  )
  def test_windows_and_teachers_that_do_not_fit(self, settings, message):
    with self.assertRaisesRegex(ValueError, message):
      _smoke(*settings)

  def test_a_schedule_needs_a_bound(self):
    endless = ("run.max_steps=0", "run.max_minutes=0")
    _smoke(*endless)
    laptop = preset_configs.laptop()
    no_schedule = ("learner.final_rate=1",)
    overrides.apply(laptop, [*endless, *no_schedule])
    message = r"\(run.max_steps, run.max_minutes\) is \(0, 0.0\), allowed: one"
    for schedule in (
      ("learner.final_rate=0.5",),
      (*no_schedule, "learner.privileged.distillation_alone=0.5"),
    ):
      with self.assertRaisesRegex(ValueError, message):
        overrides.apply(laptop, [*endless, *schedule])

  @parameterized.parameters(
    (
      "td_error",
      (
        "teaching.teacher=tutor",
        "learner.privileged.distillation_weight=1",
        "learner.privileged.distillation_share=1",
        "learner.privileged.distillation_alone=1",
      ),
      "none, with learner.privileged.distillation_alone=1",
    ),
    ("value", ("learner.algorithm=ppo",), "td_error$"),
    ("policy", ("learner.algorithm=vtrace",), "td_error$"),
    ("policy", ("learner.muesli.cmpo=none",), "td_error or value$"),
  )
  def test_plr_scores_no_task_by_what_nothing_trains(
    self, fitness, settings, allowed
  ):
    plr = ("curriculum.kind=plr", f"curriculum.plr.fitness={fitness}")
    message = f"curriculum.plr.fitness is '{fitness}', allowed: .*: {allowed}"
    with self.assertRaisesRegex(ValueError, message):
      _smoke(*settings, *plr)
    _smoke(*settings, *plr[1:])

  def test_plr_scores_tasks_by_what_is_learned(self):
    _smoke("curriculum.kind=plr", "learner.algorithm=ppo")
    for fitness in ("value", "policy"):
      _smoke("curriculum.kind=plr", f"curriculum.plr.fitness={fitness}")
    # An agent that teaches alone teaches the model's policies, not its values.
    _smoke(
      "curriculum.kind=plr",
      "curriculum.plr.fitness=policy",
      "teaching.teacher=agent:runs/one",
      "learner.privileged.distillation_weight=1",
      "learner.privileged.distillation_share=1",
      "learner.privileged.distillation_alone=1",
    )

  def test_windows_and_teachers_that_fit(self):
    _smoke("network.memory=griffin", "network.local_length=29")
    _smoke("network.memory_length=10", "network.attention_sinks=4")
    made = _smoke(
      "teaching.teacher=agent:runs/one",
      "learner.privileged.distillation_weight=1",
    )
    self.assertEqual(made.teaching.agent, "runs/one")
    self.assertEqual(made.teaching.labels, "policy")
    self.assertEqual(preset_configs.laptop().teaching.labels, "actions")
    self.assertEqual(_smoke().teaching.labels, "none")

  def test_a_named_family_takes_the_place_of_the_sampler(self):
    made = _smoke("tasks.family=traps+find:trials=1-5", "env.max_rules=4")
    self.assertEqual(made.tasks.limits, (4, 4, 5 * 45))
    self.assertEqual(made.longest_episode, 225)
    again = json_codec.from_json(
      experiment.ExperimentConfig, json_codec.to_json(made)
    )
    self.assertEqual(again, made)

  @parameterized.parameters(
    ("tasks.family=trap", "tasks: 'trap': no family 'trap', allowed: traps, "),
    ("tasks.family=traps", r"env.max_rules is 3, .* can have \(4\)"),
    ("tasks.family=chain:places=3", r"env.max_rules is 3, .* have \(5\)"),
  )
  def test_a_named_family_is_checked(self, setting, message):
    with self.assertRaisesRegex(ValueError, message):
      _smoke(setting)

  def test_free_fields_exist(self):
    flat = json_codec.to_json(experiment.ExperimentConfig())
    for name in experiment.FREE_FIELDS:
      group, field = name.split(".")
      self.assertIn(field, flat[group])

  def test_a_config_can_t_be_changed(self):
    with self.assertRaises(dataclasses.FrozenInstanceError):
      preset_configs.smoke().run.seed = 1  # pyrefly: ignore[read-only] (tested)


if __name__ == "__main__":
  absltest.main()
