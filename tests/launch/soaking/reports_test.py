"""Tests of adaland.launch.soaking.reports; laws_test has the violations."""

from absl.testing import absltest, parameterized

from adaland.envs import constants
from adaland.envs.tasks.task import Task
from adaland.launch.soaking import reports
from tests.launch.soaking import states


def _hold(t):
  t.after.held[0, 0] = 0


def _see(t):
  t.after.visible[0, 0, 2] = True


def _touch(t):
  t.touching[0, 1, 2] = True


def _itself(t):
  t.touching[0, [0, 1, 2], [0, 1, 2]] = True


def _meet(t):
  """Puts the second cube 0.7 m from the first."""
  t.after.object_pos[0, 1, 0] = 1.5


def _lift(t):
  """Puts the first cube 1 m above the floor, 0.94 m from the player's centre.

  It is 1.28 m from the player's feet.
  """
  t.after.object_pos[0, 0, 2] = 1.0


class RewardedTest(parameterized.TestCase):
  @parameterized.parameters(
    ("hold(player1, black cube)", _hold, True),
    ("hold(player1, black cube)", _see, False),
    ("not hold(player1, black cube)", _hold, False),
    ("see(player1, black cube)", _see, True),
    ("see(player1, black cube)", _hold, False),
    ("touching(black cube, black cube)", _touch, True),
    ("touching(black cube, black cube)", _itself, False),
    ("near(black cube, black cube)", _meet, True),
    ("near(black cube, black cube)", _see, False),
    ("not near(black cube, black cube)", _see, True),
    ("near(player1, black cube)", _lift, True),
    ("near(player1, black sphere)", _meet, False),
  )
  def test_a_reward_is_paid_where_the_goal_holds(self, goal, change, holds):
    task = Task.of(goal=goal, objects=["black cube", "black cube"])
    t = states.transition()._replace(tasks=(task,))
    change(t)
    for reward in (0.0, constants.STEP_SECONDS):
      t.reward[:] = reward
      found = [reason for _, reason in reports.rewarded(t)]
      got = "got" if reward else "did not get"
      said = f"player 1 {got} its reward, but {goal} is {str(holds).lower()}"
      self.assertEqual(found, [said] if (reward > 0) != holds else [])

  def test_goals_that_a_state_does_not_decide_break_no_law(self):
    seen = Task.of(goal="see(black cube, black cube)", objects=["black cube"])
    near = Task.of(goal="near(black cube, black cube)", objects=["black cube"])
    for task in (seen, near):
      t = states.transition()._replace(tasks=(task,))
      # Within rounding of one metre from the first cube.
      t.after.object_pos[0, 1, 0] = t.after.object_pos[0, 0, 0] + 1
      for reward in (0.0, constants.STEP_SECONDS):
        t.reward[:] = reward
        self.assertEmpty(list(reports.rewarded(t)))


class SensedTest(parameterized.TestCase):
  def step(
    self, before=2.0, after=2.0, goal="touching(black cube, black cube)"
  ):
    """Returns a step at whose ends the cubes are some metres apart."""
    task = Task.of(goal=goal, objects=["black cube", "black cube"])
    t = states.transition()._replace(tasks=(task,))
    for view, gap in ((t.before, before), (t.after, after)):
      view.object_pos[0, 1, 0] = view.object_pos[0, 0, 0] + gap
    return t

  def found(self, t):
    return [reason for _, reason in reports.sensed(t)]

  def test_contact_at_a_step_s_begin_is_sensed(self):
    # The cubes are 0.4 m wide.
    t = self.step(before=0.399)
    missed = ["nodes 1 and 2 touch, which was not sensed"]
    self.assertEqual(self.found(t), missed)
    t.touching[0, [1, 2], [2, 1]] = True
    self.assertEmpty(self.found(t))

  @parameterized.parameters(
    ("touching(black sphere, black cube)", 1),
    ("touching(black cube, black sphere)", 1),
    ("touching(black sphere, black sphere)", 0),
    ("near(black cube, black sphere)", 0),
  )
  def test_only_contacts_that_the_game_reads_are_sensed(self, goal, count):
    t = self.step(before=0.399, goal=goal)
    t.before.slot_types[0, 1] = states.SPHERE
    self.assertLen(self.found(t), count)

  def test_frozen_objects_never_touch_each_other(self):
    for frozen, count in (([0], 1), ([1], 1), ([0, 1], 0)):
      t = self.step(before=0.399)
      t.before.frozen[0, frozen] = True
      self.assertLen(self.found(t), count)

  def test_steps_in_which_objects_are_replaced_are_not_checked(self):
    for name in ("first", "restarted"):
      t = self.step(before=0.399)
      getattr(t, name)[0] = True
      self.assertEmpty(self.found(t))
    t = self.step(before=0.399)
    t.after.fired[0, 0] = True
    self.assertEmpty(self.found(t))

  def test_what_is_in_contact_is_close_before_or_after_the_step(self):
    for before, after, count in ((1.5, 1.5, 1), (0.6, 1.5, 0), (1.5, 0.6, 0)):
      t = self.step(before, after)
      t.touching[0, [1, 2], [2, 1]] = True
      self.assertLen(self.found(t), count)


if __name__ == "__main__":
  absltest.main()
