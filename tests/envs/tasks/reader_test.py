"""Tests of adaland.envs.tasks.reader; json_files_test has whole files."""

from absl.testing import absltest, parameterized

from adaland.envs.tasks import reader
from adaland.envs.tasks.task import Hiding, ObjectType, Task, World

_TASK = {
  "format": reader.FORMAT,
  "objects": [{"type": "black cube"}],
  "players": [{"goal": "hold(player1, black cube)"}],
}


def _read(value):
  return Task(**reader.read_task_fields(value))


class ReadTaskFieldsTest(parameterized.TestCase):
  def test_what_is_left_out_has_its_default(self):
    task = _read(_TASK)
    self.assertEqual(task.world, World())
    self.assertEqual(task.objects[0].count, 1)
    self.assertEqual((task.rules, task.hiding), ((), (Hiding(),)))

  def test_counts_and_sizes_follow_from_what_is_given(self):
    task = _read(
      {
        **_TASK,
        "world": {"heights": [[0, 0, 1], [0, 0, 2]]},
        "objects": [{"type": "black cube", "at": [[0, 0], None]}],
      }
    )
    self.assertEqual(task.objects[0].count, 2)
    self.assertEqual((task.world.tiles, task.world.levels), ((2, 3), 3))

  def test_hiding_for_all_players_or_for_each(self):
    two = {**_TASK, "players": _TASK["players"] * 2, "objects": []}
    cube = ObjectType.from_name("black cube")
    for hide, expected in (
      ({"objects": ["black cube"]}, (Hiding(objects=(cube,)),) * 2),
      (
        {"player2": {"predicates": ["near"]}},
        (Hiding(), Hiding(predicates=("near",))),
      ),
    ):
      task = _read({**two, "hide": hide})
      self.assertEqual(task.hiding, expected)

  @parameterized.parameters(
    ({"format": "adaland.task/3"}, 'format is "adaland.task/3", allowed'),
    ({"world": {"tiles": [5]}}, "world.tiles is .5., allowed: a list of two"),
    ({"world": {"heights": []}}, "world.heights is .., allowed: lists of"),
    (
      {"world": {"heights": [[0, 20], [0, 0]]}},
      r"world.heights\[0\]\[1\] is 20, allowed: 0 to 3",
    ),
    (
      {"world": {"heights": [[-1, 0], [0, 0]]}},
      r"world.heights\[0\]\[0\] is -1, allowed: 0 to 3",
    ),
    ({"objects": [{"type": "cube"}]}, r"objects\[0\].type: "),
    ({"objects": [{"type": "black cube", "at": []}]}, r"objects\[0\].at is"),
    ({"rules": ["near(a"]}, r"rules\[0\]: "),
    ({"rules": [3]}, r"rules\[0\] is 3, allowed: a text"),
    ({"hide": {"player3": {}}}, 'hide has the unknown field "player3"'),
    ({"trials": 1.5}, "trials is 1.5, allowed: a whole number"),
    ({"players": [{"goal": "g", "at": [1]}]}, r"players\[0\].goal: "),
  )
  def test_refuses_with_the_field(self, fields, message):
    with self.assertRaisesRegex(ValueError, f"^{message}"):
      _read({**_TASK, **fields})


if __name__ == "__main__":
  absltest.main()
