"""Tests of adaland.envs.expert.exploring.tutor."""

import dataclasses

import numpy as np
from absl.testing import absltest

from adaland.envs import constants, land
from adaland.envs.expert import players
from adaland.envs.expert.exploring import explorer, notes
from adaland.envs.sampling import candidates
from adaland.envs.tasks.task import Task
from tests.envs import fixtures

_NOOP = np.array(constants.NOOP_ACTION)
_MOVE, _STRAFE, _TURN, _LOOK = range(4)


def _task(cube, trap):
  """Returns a task with the right object and a trap at these positions."""
  task = Task.of(
    goal="near(player1, black sphere)",
    objects=["black cube", "purple cube"],
    rules=[
      "near(player1, black cube) -> black sphere",
      "near(player1, purple cube) -> black wall",
      "see(black wall, black cube) -> nothing",
    ],
    hide_rules=[1, 2, 3],
    trials=2,
    trial_seconds=4,
    tiles=(8, 8),
  )
  objects = tuple(
    dataclasses.replace(spec, at=(at,))
    for spec, at in zip(task.objects, (cube, trap), strict=True)
  )
  player = dataclasses.replace(task.players[0], at=(0.0, 0.0))
  return dataclasses.replace(task, objects=objects, players=(player,))


class TutorTest(absltest.TestCase):
  def make(self, cube=(2.5, 0.0), trap=(-3.0, 3.0)):
    """Makes a world of equal environments; returns it with its tutor."""
    task = _task(cube, trap)
    world = fixtures.make_land(task)
    world.reset()
    return world, players.make("tutor", fixtures.NUM_ENVS)

  def play(self, world, tutor, steps):
    """Plays; returns environment 0's actions, objects in view, rewards."""
    actions, visible, rewards = [], [], []
    for _ in range(steps):
      tutor.observe(world)
      action = tutor.act(world)
      visible.append(world.batch_view().visible[0, 0, 1:3].copy())
      actions.append(action[0])
      rewards.append(world.step(action).reward[0])
    return np.array(actions), np.array(visible), np.array(rewards)

  def test_it_walks_only_to_what_it_sees(self):
    world, tutor = self.make()
    actions, visible, rewards = self.play(world, tutor, 30)
    walks = (actions[:, _MOVE] != 1) | (actions[:, _STRAFE] != 1)
    blind = ~visible.any(axis=1)
    self.assertTrue(blind.any())
    self.assertFalse((walks & blind).any())
    self.assertTrue(walks.any())
    # With nothing in view, it keeps turning fast in one direction.
    turns = actions[blind & ~np.roll(rewards > 0, 1), _TURN]
    self.assertLessEqual(len(set(turns.tolist())), 2)

  def test_of_several_it_tries_first_what_it_sees(self):
    # It has seen the trap, which is nearer, and turned away from it.
    world, tutor = self.make(cube=(2.5, 0.0), trap=(-1.7, 0.0))
    assert isinstance(tutor, explorer.Explorer)
    tutor.observe(world)
    seen = world.batch_view().visible[0, 0]
    while not seen[1] or seen[2]:
      world.step(fixtures.noop() + 2 * (np.arange(6) == _TURN))
      tutor.observe(world)
      seen = world.batch_view().visible[0, 0]
    view, known = world.batch_view(), tutor.known
    known.types[:] = known.home_types[:] = view.slot_types
    known.pos[:], known.seen[0, :2] = view.object_pos, True
    self.assertEqual(tutor.act(world)[0, _MOVE], 2)

  def test_grip_and_hand_are_left_alone(self):
    world, tutor = self.make()
    actions, _, _ = self.play(world, tutor, 20)
    np.testing.assert_array_equal(
      actions[:, 4:], np.broadcast_to(_NOOP[4:], (20, 2))
    )

  def test_it_remembers_the_right_one_and_spares_the_trap(self):
    # The trap is as near as the right one; the first attempt tells them apart.
    world, tutor = self.make(cube=(0.0, 2.5), trap=(0.0, -2.5))
    self.play(world, tutor, 30)
    _, _, rewards = self.play(world, tutor, 30)
    self.assertGreater(rewards.sum(), 1.0)

  def test_it_turns_on_where_there_is_nothing_to_go_to(self):
    # The trap is nearer, and takes the right one away.
    world, tutor = self.make(cube=(3.4, 0.8), trap=(1.9, 0.0))
    actions, _, rewards = self.play(world, tutor, 29)
    self.assertEqual(rewards.sum(), 0)
    np.testing.assert_array_equal(actions[-8:, :2], np.ones((8, 2)))
    self.assertLen(set(actions[-8:, _TURN].tolist()), 1)
    self.assertIn(actions[-1, _TURN], (0, 4))

  def test_an_object_near_the_goal_s_one_is_no_obstacle(self):
    task = Task.of(
      goal="near(player1, black sphere)",
      objects=[{"type": "black cube", "at": [[1.8, 0]]}],
      rules=["near(player1, black cube) -> yellow sphere, black sphere"],
      hide_rules=[1],
      at=(0, 0),
      tiles=(8, 8),
      trials=2,
      trial_seconds=6,
    )
    world = fixtures.make_land(task)
    world.reset()
    player = players.make("tutor", fixtures.NUM_ENVS)
    for _ in range(90):
      player.observe(world)
      rewards = world.batch_view().trial_rewards[0, :2, 0].copy()
      world.step(player.act(world))
    self.assertGreater(rewards.min(), 2)

  def test_a_label_does_not_depend_on_who_acted(self):
    world, tutor = self.make()
    other, watcher = self.make()
    for _ in range(25):
      tutor.observe(world)
      watcher.observe(other)
      action = tutor.act(world)
      np.testing.assert_array_equal(watcher.act(other, [0]), action[:1])
      world.step(action)
      other.step(action)

  def test_it_takes_in_its_hand_what_it_wants_to_be_near(self):
    family = candidates.Fetch(trials=(1, 1))
    task = family.held_out().task(0)
    world = fixtures.make_land(task)
    tutor = players.make("tutor", fixtures.NUM_ENVS)
    assert isinstance(tutor, explorer.Explorer)
    world.reset()
    tutor.observe(world)
    while world.batch_view().held[0, 0] < 0:
      self.assertFalse(world.step(tutor.act(world)).last[0])
      tutor.observe(world)
    view = world.batch_view()
    kind = view.slot_types[0, view.held[0, 0]]
    self.assertEqual(tutor.known.touch[0, kind], notes.UNTRIED)

  def test_the_tutor_delivers_in_time(self):
    # It may guess wrong in the first trials; by the third it knows.
    tasks = [
      kind(trials=(3, 3)).held_out().task(i)
      for kind in (candidates.Fetch, candidates.Chain)
      for i in range(5)
    ]
    num_envs = fixtures.NUM_PLAYED
    world = land.Land(num_envs, fixtures.CONFIG, lambda i: tasks[i], seed=0)
    tutor, watcher = (players.make("tutor", num_envs) for _ in range(2))
    world.reset()
    rewards = np.zeros(num_envs)  # In the third trial.
    plays = np.ones(num_envs, bool)
    while plays.any():
      tutor.observe(world)
      action = tutor.act(world)
      # Asked about some environments only, it acts the same there.
      watcher.observe(world)
      some = [7, 2]
      np.testing.assert_array_equal(watcher.act(world, some), action[some])
      now = world.batch_view().trial_rewards[:, 2, 0]
      rewards[plays] = now[plays]
      plays &= ~world.step(action).last
    for half in np.split(rewards, 2):
      self.assertGreaterEqual((half > 1).sum(), 4)


if __name__ == "__main__":
  absltest.main()
