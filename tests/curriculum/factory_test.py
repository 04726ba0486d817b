"""Tests of adaland.curriculum.factory."""

from absl.testing import absltest, parameterized

from adaland.curriculum import (
  checks,
  coplayers,
  factory,
  learnability,
  noop,
  plr,
  uniform,
)
from tests.curriculum import examples

_CLASSES = {
  "learnability": learnability.LearnabilityCurriculum,
  "noop": noop.NoopCurriculum,
  "plr": plr.PLRCurriculum,
  "uniform": uniform.UniformCurriculum,
}


class FactoryTest(parameterized.TestCase):
  @parameterized.parameters(*factory.KINDS)
  def test_every_kind_is_made_and_can_be_restored(self, kind):
    config = factory.CurriculumConfig(kind=kind)

    def make(seed):
      return factory.make_curriculum(config, examples.sample_task, seed)

    made = make(5)
    self.assertIsInstance(made, _CLASSES[kind])
    drawn = made.next_tasks(3)
    self.assertEqual(make(5).next_tasks(3), drawn)
    self.assertNotEqual(make(6).next_tasks(3), drawn)
    state = made.state_dict()
    self.assertEqual(state["kind"], kind)
    other = make(6)
    other.load_state_dict(state)
    self.assertEqual(other.next_tasks(2), made.next_tasks(2))
    checks.check_curriculum(
      lambda sample_task, seed: factory.make_curriculum(
        config, sample_task, seed
      )
    )

  @parameterized.parameters(*factory.KINDS)
  def test_every_kind_draws_from_the_pool_and_a_co_player(self, kind):
    config = factory.CurriculumConfig(kind=kind)
    made = factory.make_curriculum(
      config, lambda pair: pair, 0, 3, lambda rng: coplayers.RANDOM
    )
    pairs = [coplayers.split(each.task) for each in made.next_tasks(40)]
    self.assertLessEqual({index for index, _ in pairs}, {0, 1, 2})
    self.assertEqual({coplayer for _, coplayer in pairs}, {coplayers.RANDOM})

  def test_an_unknown_kind_is_refused(self):
    with self.assertRaisesRegex(
      ValueError, "curriculum.kind is 'teacher', allowed: uniform, noop, plr"
    ):
      factory.CurriculumConfig(kind="teacher")


if __name__ == "__main__":
  absltest.main()
