"""Tests of adaland.envs.tasks.json_files."""

import json
import pathlib

from absl.testing import absltest, parameterized
from hypothesis import given, settings

from adaland.envs.tasks import json_files
from adaland.envs.tasks.literals import ObjectType
from adaland.envs.tasks.task import World
from tests.envs.tasks import task_strategies

TEXT = """
{"format": "adaland.task/2", "name": "wrong pair disappears",
 "world": {"seed": 11, "tiles": [10, 10], "levels": 2},
 "objects": [{"type": "black pyramid"}, {"type": "purple pyramid"},
             {"type": "yellow sphere", "count": 2, "at": [[2.0, -1.5], [0, 3]],
              "frozen": false}],
 "players": [{"goal": "hold(player1, black cube)", "at": [0.0, 0.0]}],
 "rules": ["near(black pyramid, yellow sphere) -> black cube",
           "near(purple pyramid, yellow sphere) -> nothing"],
 "hide": {"rules": [1, 2], "objects": [], "predicates": []},
 "trials": 3, "trial_seconds": 20}
"""
MINIMAL = {
  "format": "adaland.task/1",
  "players": [{"goal": "hold(player1, black cube)"}],
  "objects": [{"type": "black cube"}],
}


class TaskJsonTest(parameterized.TestCase):
  @settings(max_examples=80, deadline=None)
  @given(task=task_strategies.tasks())
  def test_exact_inverse(self, task):
    obj = json_files.to_json(task)
    self.assertEqual(json_files.from_json(obj), task)
    # Also through text, including floats.
    self.assertEqual(json_files.loads(json.dumps(obj)), task)

  def test_reads_the_documented_example(self):
    task = json_files.loads(TEXT)
    self.assertEqual(task.world, World(11, (10, 10), 2))
    self.assertEqual(task.objects[2].at, ((2.0, -1.5), (0.0, 3.0)))
    self.assertEqual(task.players[0].at, (0.0, 0.0))
    self.assertEqual(str(task.rules[1].condition.b), "yellow sphere")
    self.assertEqual(task.hiding[0].rules, (1, 2))
    self.assertEqual(task.trial_steps, 150)

  def test_files_of_version_1_are_read_and_written_as_version_2(self):
    task = json_files.loads(TEXT.replace("task/2", "task/1"))
    self.assertEqual(task, json_files.loads(TEXT))
    self.assertEqual(json_files.to_json(task)["format"], "adaland.task/2")

  def test_only_three_fields_are_needed(self):
    task = json_files.from_json(MINIMAL)
    self.assertEqual(task.world, World())
    self.assertEqual(task.objects[0].count, 1)
    self.assertEqual(task.rules, ())
    for field in MINIMAL:
      rest = {key: value for key, value in MINIMAL.items() if key != field}
      with self.assertRaisesRegex(ValueError, f'lacks the field "{field}"'):
        json_files.from_json(rest)

  def test_positions_give_the_count(self):
    obj = {**MINIMAL, "objects": [{"type": "black cube", "at": [None, [1, 2]]}]}
    spec = json_files.from_json(obj).objects[0]
    self.assertEqual(spec.at, (None, (1.0, 2.0)))

  def test_heights_give_tiles_and_levels(self):
    obj = {**MINIMAL, "world": {"heights": [[0, 1, 2], [0, 0, 0]]}}
    world = json_files.from_json(obj).world
    self.assertEqual(world.tiles, (2, 3))
    self.assertEqual(world.levels, 3)

  def test_hiding_of_two_players(self):
    players = [
      {"goal": "hold(player1, black cube)"},
      {"goal": "hold(player2, black cube)"},
    ]
    cube = ObjectType.from_name("black cube")
    both = {**MINIMAL, "players": players, "hide": {"objects": ["black cube"]}}
    first, second = json_files.from_json(both).hiding
    self.assertEqual(first.objects, (cube,))
    self.assertEqual(first, second)
    each = {**both, "hide": {"player2": {"objects": ["black cube"]}}}
    first, second = json_files.from_json(each).hiding
    self.assertEqual(first.objects, ())
    self.assertEqual(second.objects, (cube,))

  @parameterized.parameters(
    (
      {"format": "adaland.task/3"},
      'format is "adaland.task/3", allowed: "adaland.task/2" or "adaland.tas',
    ),
    ({"format": ["adaland.task/2"]}, r"format is \['adaland.task/2'\], allow"),
    ({"colour": 1}, 'unknown field "colour", allowed: format, name'),
    ({"trials": 2.0}, "trials is 2.0, allowed: a whole number"),
    ({"trials": True}, "trials is True, allowed: a whole number"),
    ({"trials": 49}, "trials is 49, allowed: 1 to 48"),
    ({"trial_seconds": "20"}, 'trial_seconds is "20", allowed: a number'),
    ({"trial_seconds": 10**400}, "trial_seconds is 1000.*, allowed: a finite"),
    ({"trial_seconds": float("nan")}, "trial_seconds is nan, allowed: a fin"),
    ({"name": None}, "name is None, allowed: a text"),
    ({"world": []}, r"world is \[\], allowed: an object with seed"),
    ({"world": {"size": 3}}, 'world has the unknown field "size"'),
    ({"world": {"tiles": 3}}, "world.tiles is 3, allowed: a list"),
    ({"world": {"tiles": [5]}}, r"world.tiles is \[5\]"),
    ({"world": {"tiles": [5, 21]}}, "tiles along y is 21, allowed: 2 to 20"),
    ({"world": {"heights": []}}, r"world.heights is \[\]"),
    ({"world": {"heights": [[0, 0], [0]]}}, "world.heights has 2 columns"),
    ({"world": {"heights": [[0, 0], [0, "x"]]}}, r'heights\[1\]\[1\] is "x"'),
    ({"objects": [{"count": 1}]}, r'objects\[0\] lacks the field "type"'),
    ({"objects": [{"type": "red cube"}]}, r"objects\[0\].type: 'red cube' is"),
    (
      {"objects": [{"type": "black cube", "at": [1, 2]}]},
      r"objects\[0\].at\[0\] is 1, allowed: \[x, y\]",
    ),
    (
      {"objects": [{"type": "black cube", "count": 2, "at": [[1, 2]]}]},
      r"objects\[0\]: black cube has 1 positions.*its count, 2",
    ),
    (
      {"objects": [{"type": "black cube", "at": [[1, "a"]]}]},
      r'objects\[0\].at\[0\]\[1\] is "a", allowed: a number',
    ),
    (
      {"objects": [{"type": "black cube", "at": [[1, 90]]}]},
      r"objects\[0\].at\[0\] is \(1, 90\).*inside the arena",
    ),
    (
      {"objects": [{"type": "black cube", "frozen": 1}]},
      r"objects\[0\].frozen is 1, allowed: true or false",
    ),
    ({"players": []}, "number of players is 0, allowed: 1 to 2"),
    ({"players": [{"goal": "win"}]}, r"players\[0\].goal: 'win' is not"),
    ({"rules": ["near(black cube, x) -> nothing"]}, r"rules\[0\]: 'x' is no"),
    ({"rules": [3]}, r"rules\[0\] is 3, allowed: a text"),
    ({"hide": {"rules": [1]}}, "hide: rules has 1, allowed: 1 to 0"),
    ({"hide": {"objects": ["cube"]}}, r"hide.objects\[0\]: 'cube' is no obj"),
    ({"hide": {"predicates": ["by"]}}, "hide: hidden predicate is 'by'"),
    ({"hide": {"player2": {}}}, 'hide has the unknown field "player2"'),
  )
  def test_refuses_with_file_field_and_what_is_allowed(self, change, message):
    with self.assertRaisesRegex(ValueError, "^f.json: .*" + message):
      json_files.from_json({**MINIMAL, **change}, "f.json")

  @parameterized.parameters(
    ('{"format": ', "^f: line 1, column 12: no JSON"),
    ('{"a": 1, "a": 2}', '^f: the field "a" is given twice'),
    ('{"trials": NaN}', "^f: NaN is given"),
    ("[" * 100_000, "^f: lists or objects are nested too deeply"),
    ("[]", r"^f: the task is \[\], allowed: an object"),
  )
  def test_refuses_text(self, text, message):
    with self.assertRaisesRegex(ValueError, message):
      json_files.loads(text, "f")


class FileTest(absltest.TestCase):
  def test_save_and_load(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    task = json_files.loads(TEXT)
    json_files.save(folder / "task.json", task)
    self.assertEqual(json_files.load(folder / "task.json"), task)
    self.assertEqual([x.name for x in folder.iterdir()], ["task.json"])

  def test_unreadable_files(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    for name, data, message in (
      ("missing.json", None, "missing.json: No such file"),
      ("binary.json", b"\xff\xfe\x00", "binary.json: not UTF-8"),
      ("large.json", b" " * 1_000_001, "large.json: larger than 1000000"),
    ):
      if data is not None:
        (folder / name).write_bytes(data)
      with self.assertRaisesRegex(ValueError, message):
        json_files.load(folder / name)
    with self.assertRaisesRegex(ValueError, "Is a directory"):
      json_files.load(folder)


if __name__ == "__main__":
  absltest.main()
