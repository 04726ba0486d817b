"""Tests of adaland.launch.evaluation.comparison.figure."""

import io

import numpy as np
from absl.testing import absltest, parameterized
from PIL import Image

from adaland.launch.evaluation.comparison import figure
from adaland.launch.studies import study, table

_CURVE = figure.Curve([0.2, 0.6], [0.1, 0.5], [0.3, 0.7])


def _picture(**curves):
  return np.asarray(Image.open(io.BytesIO(figure.by_trial(curves))))


class FigureTest(parameterized.TestCase):
  def test_curves_are_drawn_in_their_policy_s_colour(self):
    blue = np.array([0x1F, 0x5F, 0xBF])

    def has_blue(picture):
      return (np.abs(picture[..., :3] - blue.astype(int)) < 3).all(-1).any()

    self.assertTrue(has_blue(_picture(agent=_CURVE)))
    self.assertFalse(has_blue(_picture(expert=_CURVE)))

  def test_a_policy_without_scores_has_no_curve(self):
    none = figure.Curve([], [], [])
    np.testing.assert_array_equal(
      _picture(agent=_CURVE, noop=none), _picture(agent=_CURVE)
    )

  def test_scores_below_zero_are_seen(self):
    # The line at -0.5 is drawn, so there is blue below the lowest third.
    below = figure.Curve([0.5, -0.5], [0.5, -0.5], [0.5, -0.5])
    blue = np.array([0x1F, 0x5F, 0xBF])
    picture = _picture(agent=below)[..., :3].astype(int)
    rows = np.flatnonzero((np.abs(picture - blue) < 3).all(-1).any(1))
    self.assertGreater(int(np.ptp(rows)), len(picture) / 3)

  def test_scores_far_above_one_are_seen(self):
    above = figure.Curve([0.5, 3.0], [0.5, 3.0], [0.5, 3.0])
    blue = np.array([0x1F, 0x5F, 0xBF])
    picture = _picture(agent=above)[..., :3].astype(int)
    rows = np.flatnonzero((np.abs(picture - blue) < 3).all(-1).any(1))
    # The line from 0.5 to 3 takes most of the axis from -0.03 to 3.
    self.assertGreater(int(np.ptp(rows)), len(picture) / 2)

  def test_the_line_is_the_mean_and_the_band_is_seen(self):
    for other in (
      _CURVE._replace(mean=[0.2, 0.65]),
      _CURVE._replace(low=[0.1, 0.4]),
      _CURVE._replace(high=[0.3, 0.8]),
    ):
      self.assertTrue((_picture(agent=other) != _picture(agent=_CURVE)).any())

  @parameterized.parameters(
    ("agent", "agent"),
    ("my agent", "agent"),
    ("memoryless agent", "memoryless"),
    ("agent, swapped memory", "swapped memory"),
    ("agent, unprompted", "unprompted"),
    ("forgetful explorer", "forgetful"),
  )
  def test_styles(self, label, name):
    self.assertEqual(figure._style(label), figure._STYLES[name])

  def test_variants_and_known_policies_have_colours_of_their_own(self):
    largest = max(len(each.variants) for each in table.STUDIES.values())
    labels = [*(f"variant {i}" for i in range(largest)), *study.PLAYERS]
    found = figure.colours(labels)
    self.assertEqual([*found], labels)
    self.assertLen(set(found.values()), len(labels))

  def test_known_policies_do_not_change_the_colours_of_others(self):
    alone = figure.colours(["a", "b"])
    mixed = figure.colours(["expert", "a", "random", "b"])
    self.assertEqual(alone, {name: mixed[name] for name in alone})

  def test_a_label_of_nobody_known(self):
    self.assertIsNone(figure._style("ours"))

  @parameterized.parameters(
    ([], []),
    ([0.0, 1.0], [0.0, 1.0]),
    ([0.0, 0.0], [-0.05, 0.05]),
    ([0.0, 0.02, 0.04, 1.0], [-0.08, 0.02, 0.12, 1.0]),
    # A pair that moves apart touches a third.
    ([0.0, 0.12, 0.12], [-0.02, 0.08, 0.18]),
  )
  def test_labels_move_apart(self, heights, expected):
    np.testing.assert_allclose(figure.spread(heights, 0.1), expected)


if __name__ == "__main__":
  absltest.main()
