"""Tests of adaland.envs.expert.players."""

from absl.testing import absltest

from adaland.envs.expert import expert, players
from adaland.envs.expert.exploring import explorer, guide, tutor


class MakeTest(absltest.TestCase):
  def test_each_name_makes_its_player(self):
    self.assertEqual(
      [type(players.make(name, 2)) for name in players.NAMES],
      [
        expert.Expert,
        explorer.Explorer,
        explorer.Explorer,
        tutor.Tutor,
        guide.Guide,
      ],
    )

  def test_only_the_forgetful_explorer_forgets(self):
    with absltest.mock.patch.object(explorer, "Explorer") as made:
      players.make("explorer", 3)
      made.assert_called_with(3, remembers=True)
      players.make("forgetful", 4)
      made.assert_called_with(4, remembers=False)

  def test_the_expert_gets_the_seed(self):
    with absltest.mock.patch.object(expert, "Expert") as made:
      players.make("expert", 3, seed=5)
      made.assert_called_with(3, 5)

  def test_refuses_other_names(self):
    with self.assertRaisesRegex(
      ValueError, "player is 'sage', allowed: expert, explorer, forgetful"
    ):
      players.make("sage", 1)


if __name__ == "__main__":
  absltest.main()
