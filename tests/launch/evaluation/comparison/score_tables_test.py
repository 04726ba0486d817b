"""Tests of adaland.launch.evaluation.comparison.score_tables."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.evaluation.comparison import score_tables
from tests.launch.evaluation.comparison import evaluations
from tests.launch.evaluation.comparison.evaluations import evaluation


class ScoreTablesTest(evaluations.FolderTest):
  def test_scores_by_label_seed_task_and_trial(self):
    swapped = [[1.0, 1.0], [4.0, 4.0], [0.0, 0.0]]
    first = self.write(
      "a.json", evaluation(controls={"swapped": {"trial_rewards": swapped}})
    )
    second = self.write("b.json", evaluation([(0, 1), (0, 2), (0, 0)]))
    tables = score_tables.load([f"agent={first}", f"agent={second}", second])
    self.assertEqual(
      list(tables.scores), ["agent", "agent, swapped memory", "b"]
    )
    np.testing.assert_array_equal(
      tables.scores["agent"], [[[0.5, 1], [0.5, 1]], [[0, 0.5], [0, 0.5]]]
    )
    np.testing.assert_array_equal(
      tables.scores["agent, swapped memory"], [[[0.5, 0.5], [1, 1]]]
    )
    self.assertEqual(tables.num_tasks, 3)
    # One of the two seeds has no control.
    self.assertFalse(tables.same_seeds("agent", "agent, swapped memory"))

  def test_prompted_and_unprompted(self):
    content = evaluation(prompted={}, unprompted={})
    for task in content["tasks"]:
      task["unprompted"] = task.pop("trial_rewards")
      task["prompted"] = [2.0, 2.0]
    tables = score_tables.load([self.write("p.json", content)])
    np.testing.assert_array_equal(
      tables.scores["p, prompted"], [[[1, 1], [0.5, 0.5]]]
    )
    self.assertTrue(tables.same_seeds("p, prompted", "p, unprompted"))
    # Unprompted, this is the agent of the evaluation.
    whole = self.write("e.json", evaluation())
    tables = score_tables.load([f"a={whole}", f"a={self.folder / 'p.json'}"])
    self.assertEqual(list(tables.scores), ["a", "a, prompted"])
    # Another agent, or other episodes of this one.
    other = self.write("o.json", evaluation([(0, 1), (0, 2), (0, 0)]))
    tables = score_tables.load([f"a={other}", f"a={self.folder / 'p.json'}"])
    self.assertEqual(list(tables.scores), ["a", "a, prompted", "a, unprompted"])
    np.testing.assert_array_equal(
      tables.scores["a, unprompted"], [[[0.5, 1], [0.5, 1]]]
    )

  def test_unprompted_rows_of_some_seeds_only_are_kept(self):
    content = evaluation(prompted={}, unprompted={})
    for task in content["tasks"]:
      task["unprompted"] = task["prompted"] = task.pop("trial_rewards")
    paths = [
      self.write("a.json", evaluation()),
      self.write("p.json", content),
      self.write("q.json", content),
    ]
    for task in content["tasks"]:
      task["unprompted"] = [0.0, 0.0]
    for last, expected in (
      (paths[2], ["a", "a, prompted"]),
      (self.write("r.json", content), ["a", "a, prompted", "a, unprompted"]),
    ):
      tables = score_tables.load([f"a={p}" for p in (*paths[:2], last)])
      self.assertEqual(list(tables.scores), expected)
      self.assertLen(tables.scores["a, prompted"], 2)

  def test_a_label_may_be_named_like_a_row_that_no_file_has(self):
    first = self.write("a.json", evaluation())
    second = self.write("b.json", evaluation())
    tables = score_tables.load([f"a={first}", f"a, unprompted={second}"])
    self.assertEqual(list(tables.scores), ["a", "a, unprompted"])

  def test_a_label_that_names_another_s_rows_is_refused(self):
    control = {"swapped": {"trial_rewards": [[1, 2]] * 3}}
    prompt = evaluation(prompted={}, unprompted={})
    for task in prompt["tasks"]:
      task["unprompted"] = task["prompted"] = task.pop("trial_rewards")
    plain = self.write("b.json", evaluation())
    for content, row in (
      (evaluation(controls=control), "a, swapped memory"),
      (prompt, "a, unprompted"),
      (prompt, "a, prompted"),
    ):
      specs = [f"a={self.write('a.json', content)}", f"{row}={plain}"]
      for each in (specs, specs[::-1]):
        with self.assertRaisesRegex(
          errors.UserError, f"both have rows named '{row}', allowed: another"
        ):
          score_tables.load(each)

  def test_a_task_that_one_evaluation_can_t_score_is_left_out_of_all(self):
    first = self.write("a.json", evaluation())
    second = self.write("b.json", evaluation(expert=(0.0, 4.0, 1.0)))
    tables = score_tables.load([first, second])
    self.assertEqual(tables.scores["a"].shape, (1, 1, 2))

  def test_other_tasks_are_refused(self):
    first = self.write("a.json", evaluation())
    other = evaluation() | {"tasks_sha256": "other"}
    with self.assertRaisesRegex(errors.UserError, "b.json: has other tasks"):
      score_tables.load([first, self.write("b.json", other)])

  def test_other_environments_are_refused(self):
    first = self.write("a.json", evaluation(environment="mine:Icy"))
    for other in ({"environment": ""}, {}):
      second = self.write("b.json", evaluation(**other))
      with self.assertRaisesRegex(
        errors.UserError, "b.json: is of the environment Land, .* of mine:Icy,"
      ):
        score_tables.load([first, second])
    third = self.write("c.json", evaluation(environment="mine:Icy"))
    self.assertLen(score_tables.load([first, third]).scores, 2)

  def test_other_numbers_of_tasks_are_refused(self):
    first = self.write("a.json", evaluation())
    other = evaluation()
    other["tasks"].pop()
    with self.assertRaisesRegex(errors.UserError, "b.json: has other tasks"):
      score_tables.load([first, self.write("b.json", other)])

  def test_names_of_controls_are_printable(self):
    control = {"a\n\ud800": {"trial_rewards": [[1, 2]] * 3}}
    path = self.write("a.json", evaluation(controls=control))
    self.assertIn("a, a\\n\\ud800 memory", score_tables.load([path]).scores)

  def test_other_numbers_of_trials_are_refused(self):
    first = self.write("a.json", evaluation())
    other = self.write("b.json", evaluation([(1,), (2,), (3,)]))
    with self.assertRaisesRegex(
      errors.UserError, "b.json: has 1 trials, .*a.json 2, allowed: .* equally"
    ):
      score_tables.load([first, other])

  def test_files_of_one_name_are_no_seeds(self):
    (self.folder / "other").mkdir()
    first = self.write("a.json", evaluation())
    second = self.write("other/a.json", evaluation())
    with self.assertRaisesRegex(
      errors.UserError, "are both named 'a', allowed"
    ):
      score_tables.load([first, second])
    tables = score_tables.load([f"a={first}", f"a={second}"])
    self.assertEqual(tables.scores["a"].shape, (2, 2, 2))
    for specs in ([f"a={first}", second], [first, f"a={second}"]):
      with self.assertRaisesRegex(errors.UserError, "are both named 'a'"):
        score_tables.load(specs)

  def test_a_file_given_twice_is_no_seed(self):
    path = self.write("a.json", evaluation())
    for specs in ([f"b={path}"] * 3, [path, path]):
      with self.assertRaisesRegex(errors.UserError, "a.json: is given twice"):
        score_tables.load(specs)
    # Random players have no parameters that would show it.
    (self.folder / "link.json").symlink_to(path)
    (self.folder / "sub").mkdir()
    for other in ("link.json", "sub/../a.json"):
      other = f"b={self.folder / other}"
      with self.assertRaisesRegex(errors.UserError, f"{other}: is given twice"):
        score_tables.load([f"b={path}", other])

  def test_evaluations_of_one_agent_are_no_seeds(self):
    paths = [
      self.write(f"{i}.json", evaluation(agent_sha256=agent))
      for i, agent in enumerate(("one", "one", "two", None, None))
    ]
    with self.assertRaisesRegex(
      errors.UserError, "0.json and .*1.json are of the same agent, .* 'a'"
    ):
      score_tables.load([f"a={paths[0]}", f"a={paths[1]}"])
    # Other agents, those of two labels, and players without parameters.
    for chosen in ((0, 2), (0, 3), (3, 4)):
      tables = score_tables.load([f"a={paths[i]}" for i in chosen])
      self.assertLen(tables.scores["a"], 2)
    self.assertLen(score_tables.load(paths[:2]).scores, 2)

  def test_evaluations_with_other_co_players_are_no_seeds(self):
    paths = [
      self.write(f"{i}.json", evaluation(**known))
      for i, known in enumerate(
        ({}, {"coplayer": "self"}, {"coplayer": "random"}, {"coplayer": "self"})
      )
    ]
    for chosen, message in (
      ((1, 2), "2.json: is with the co-player random, .*1.json with self,"),
      ((0, 1), "1.json: is with the co-player self, .*0.json with nobody,"),
    ):
      with self.assertRaisesRegex(errors.UserError, message):
        score_tables.load([f"a={paths[i]}" for i in chosen])
      self.assertLen(score_tables.load([paths[i] for i in chosen]).scores, 2)
    tables = score_tables.load([f"a={paths[1]}", f"a={paths[3]}"])
    self.assertLen(tables.scores["a"], 2)

  def test_other_temperatures_and_demonstrations_are_no_seeds(self):
    tasks = [{"id": "0", "prompted": [1.0], "unprompted": [1.0], "expert": 2.0}]
    prompt = {"tasks": tasks, "tasks_sha256": "abc", "prompted": {}}
    paths = [
      self.write(f"{i}.json", prompt | known)
      for i, known in enumerate(
        (
          {"demo": "expert"},
          {"demo": "guide"},
          {"demo": "expert", "temperature": 0.5},
          {"demo": "expert"},
        )
      )
    ]
    evaluate = evaluation([[1.0]], [2.0])
    paths.append(self.write("4.json", evaluate))
    for chosen, message in (
      ((0, 1), "1.json: has the demonstration guide, .*0.json expert, allowed"),
      ((0, 4, 1), "1.json: has the demonstration guide, .*0.json expert"),
      ((0, 2), "2.json: has the temperature 0.5, .*0.json 1, allowed: as fil"),
      ((4, 2), "2.json: has the temperature 0.5, .*4.json 1, allowed: as fil"),
    ):
      with self.assertRaisesRegex(errors.UserError, message):
        score_tables.load([f"a={paths[i]}" for i in chosen])
      score_tables.load([paths[i] for i in chosen])
    tables = score_tables.load([f"a={paths[i]}" for i in (0, 3, 4)])
    self.assertLen(tables.scores["a, prompted"], 2)

  def test_all_are_divided_by_the_best_of_the_experts(self):
    first = self.write("a.json", evaluation())
    second = self.write("b.json", evaluation(expert=(4.0, 4.0, 0.0)))
    tables = score_tables.load([first, second])
    for label in "ab":
      np.testing.assert_array_equal(
        tables.scores[label], [[[0.25, 0.5], [0.5, 1]]]
      )
    self.assertEqual(tables.num_unlike_experts, 1)
    self.assertEqual(score_tables.load([first]).num_unlike_experts, 0)

  def test_nothing_scored(self):
    path = self.write("a.json", evaluation(expert=(0, 0, 0)))
    with self.assertRaisesRegex(errors.UserError, "no reward on any task"):
      score_tables.load([path])

  @parameterized.parameters("=a.json", "agent=", " =a")
  def test_empty_labels_are_refused(self, spec):
    with self.assertRaisesRegex(errors.UserError, "allowed: FILE, or LABEL="):
      score_tables.split_label(spec)


if __name__ == "__main__":
  absltest.main()
