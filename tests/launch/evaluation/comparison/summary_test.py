"""Tests of adaland.launch.evaluation.comparison.summary; see compare_test."""

import numpy as np
from absl.testing import absltest

from adaland.launch.evaluation.comparison import (
  evaluation_files,
  score_tables,
  summary,
)


def _tables(**scores):
  """Returns tables of scores [S, T, K], each label with seeds of its own."""
  seeds = {
    label: [
      evaluation_files.Seed(f"{label}{i}.json") for i in range(len(score))
    ]
    for label, score in scores.items()
  }
  scores = {label: np.array(score, float) for label, score in scores.items()}
  return score_tables.Tables(scores, seeds, num_tasks=4, taskset="test")


class SummaryTest(absltest.TestCase):
  def test_the_gain_is_from_the_first_trial_to_the_last(self):
    result = summary.compare(_tables(a=[[[0.5, 9.0, 2.0]]], b=[[[1, 5, 1]]]))
    same = {"mean": 1.5, "low": 1.5, "high": 1.5}  # Of a single task.
    self.assertEqual(result["policies"]["a"]["gain"], same)
    self.assertEqual(result["differences"]["b"]["gain"], same)
    self.assertEqual(result["differences"]["b"]["mean"], [-0.5, 4.0, 1.0])

  def test_seeds_of_an_agent_and_its_control_are_drawn_together(self):
    # Each seed differs by 1, the seeds by 4.
    tables = _tables(a=[[[1.0]] * 3, [[5.0]] * 3], b=[[[0.0]] * 3, [[4.0]] * 3])
    apart = summary.compare(tables)["differences"]["b"]
    self.assertEqual((apart["low"], apart["high"]), ([-3.0], [5.0]))
    tables = tables._replace(seeds=dict.fromkeys("ab", tables.seeds["a"]))
    together = summary.compare(tables)["differences"]["b"]
    self.assertEqual((together["low"], together["high"]), ([1.0], [1.0]))

  def test_the_text_has_all_scores_and_differences(self):
    def cells(*numbers):
      return " | ".join(f"{x:.2f} [{x:.2f}, {x:.2f}]" for x in numbers)

    tables = _tables(a=[[[1, 2]]], b=[[[0.25, 0.5]]] * 2)
    self.assertEqual(
      summary.text(summary.compare(tables)).splitlines(),
      [
        "| score | trial 1 | trial 2 | last - first |",
        "|---|---|---|---|",
        f"| a | {cells(1, 2, 1)} |",
        f"| b (2 seeds) | {cells(0.25, 0.5, 0.25)} |",
        "",
        "| a minus | trial 1 | trial 2 | last - first |",
        "|---|---|---|---|",
        f"| b | {cells(0.75, 1.5, 0.75)} |",
        "",
        "1 of 4 tasks, scored by the scripted expert's reward; in brackets "
        "95 % intervals",
      ],
    )

  def test_a_table_shows_up_to_eight_trials_and_of_more_a_selection(self):
    for trials, shown in ((8, range(1, 9)), (9, (1, 2, 3, 5, 8, 9))):
      tables = _tables(a=[[[0.0] * trials]])
      head, *_ = summary.text(summary.compare(tables)).splitlines()
      columns = " | ".join(f"trial {k}" for k in shown)
      self.assertEqual(head, f"| score | {columns} | last - first |")

  def test_the_figure_s_note_names_what_is_resampled(self):
    for scores, over in (
      ({"a": [[[1, 2]]]}, "tasks"),
      ({"a": [[[1, 2]]], "b": [[[1, 2]]] * 2}, "tasks and training seeds"),
    ):
      result = summary.compare(_tables(**scores))
      with absltest.mock.patch.object(summary.figure, "by_trial") as drawn:
        summary.draw(result, "title")
      drawn.assert_called_once_with(
        {label: ([1, 2],) * 3 for label in scores},
        "title",
        f"1 tasks; bands: 95 % intervals, bootstrap over {over}",
      )


if __name__ == "__main__":
  absltest.main()
