"""Tests of references to a user's own parts; recipe_test makes them."""

from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.config import factories

_FOLDER = "/home/me/tasks at 10:15"


class FactoriesConfigTest(parameterized.TestCase):
  @parameterized.parameters(
    ("", False, False),
    (_FOLDER, True, False),
    ("mine:fetch", False, True),
    ("/home/me/mine.py:fetch", False, True),
  )
  def test_a_folder_of_tasks_is_no_code(self, tasks, has_folder, is_code):
    made = factories.FactoriesConfig(tasks=tasks)
    self.assertEqual(made.has_folder, has_folder)
    self.assertEqual(made.code, {"tasks": tasks} if is_code else {})

  def test_a_file_s_code_is_imported_with_consent_only(self):
    made = factories.FactoriesConfig(memory="mine:EMA", environment="icy:Icy")
    with self.assertRaisesRegex(
      errors.UserError,
      "^names code to import .memory mine:EMA, environment icy:Icy.,",
    ):
      made.refuse_unless(False)
    made.refuse_unless(True)
    factories.FactoriesConfig(tasks=_FOLDER).refuse_unless(False)

  @parameterized.parameters(
    "recipe", "memory", "curriculum", "environment", "tasks"
  )
  def test_bad_references_are_named(self, name):
    for value in ("mine", "mine:", ":fetch"):
      with self.assertRaisesRegex(
        errors.UserError, f"^factories.{name}(:| is) '{value}'(,| is not of)"
      ):
        factories.FactoriesConfig(**{name: value})

  def test_children_can_import_all_code_but_the_recipe(self):
    made = factories.FactoriesConfig(
      "runs:ema", memory="mine:EMA", curriculum="mine:Newest", tasks=_FOLDER
    )
    patch = absltest.mock.patch.object
    with (
      patch(factories.references, "resolve") as resolve,
      patch(factories.references, "share_folder_of") as share,
    ):
      made.share()
    self.assertEqual(
      [call.args for call in resolve.call_args_list],
      [
        ("mine:EMA", "factories.memory"),
        ("mine:Newest", "factories.curriculum"),
      ],
    )
    self.assertEqual(
      [call.args for call in share.call_args_list],
      [("mine:EMA",), ("mine:Newest",)],
    )


if __name__ == "__main__":
  absltest.main()
