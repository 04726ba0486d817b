"""Tests of references: naming objects, and finding them again."""

import functools
import os
import pathlib
import subprocess
import sys
import textwrap

from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.config import references

_ROOT = pathlib.Path(references.__file__).resolve().parents[2]


class Outer:
  """A class with a class inside."""

  class Inner:
    """A class that can be imported by its qualified name."""


def _inner():
  def function():
    pass

  return function


class OfTest(parameterized.TestCase):
  @parameterized.parameters(Outer, Outer.Inner, _inner, pathlib.Path)
  def test_found_again_by_its_name(self, value):
    name = references.of(value, "memory")
    self.assertIs(references.resolve(name, "memory"), value)

  def test_a_reference_stays_itself(self):
    self.assertEqual(references.of("a.b:C.d", "memory"), "a.b:C.d")

  @parameterized.parameters(
    (lambda: 0,), (_inner(),), (functools.partial(_inner),), (Outer(),), (3,)
  )
  def test_what_others_can_t_import_is_refused(self, value):
    with self.assertRaisesRegex(
      errors.UserError,
      r"^memory is .*, allowed: a class or function at the top",
    ):
      references.of(value, "memory")

  def test_an_object_that_has_taken_another_s_name_is_refused(self):
    taken = functools.wraps(_inner)(lambda: 0)
    with self.assertRaisesRegex(errors.UserError, "is a different object from"):
      references.of(taken, "memory")

  @parameterized.parameters(
    "", ":", "a", "a:", ":b", "a b:c", "a:b c", "script.py:f", "a/b:c"
  )
  def test_text_that_is_no_reference(self, text):
    with self.assertRaisesRegex(
      errors.UserError, "not of the form module:name"
    ):
      references.of(text, "memory")


class ResolveTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir()
    self.enter_context(absltest.mock.patch.object(sys, "path", [*sys.path]))
    self.enter_context(absltest.mock.patch.dict(os.environ))

  def script(self, text):
    return self.folder.create_file("script.py", textwrap.dedent(text)).full_path

  def test_a_script_is_loaded_once_but_not_as_the_main_program(self):
    path = self.script("""
      if __name__ == "__main__":
        raise AssertionError
      class A: pass
      class B: pass
    """)
    a, b = (references.resolve(f"{path}:{name}", "tasks") for name in "AB")
    self.assertEqual((a.__name__, b.__name__), ("A", "B"))
    self.assertIs(references.resolve(f"{path}:A", "tasks"), a)

  def test_a_script_finds_its_neighbours_and_so_do_child_processes(self):
    self.folder.create_file("neighbour_of_a_script.py", "x = 7")
    path = self.script("from neighbour_of_a_script import x")
    self.assertEqual(references.resolve(f"{path}:x", "tasks"), 7)
    self.assertIn(
      self.folder.full_path, os.environ["PYTHONPATH"].split(os.pathsep)
    )

  def test_one_line_on_what_can_t_be_imported(self):
    path = self.script("1 / 0")
    leaves = self.folder.create_file("leaves.py", "exit(2)").full_path
    for reference, message in (
      ("no_such_module_here:f", "can't be imported: ModuleNotFoundError: No"),
      (f"{path}:f", "can't be imported: ZeroDivisionError: division by zero"),
      (f"{leaves}:f", "can't be imported: SystemExit: 2"),
      (f"{path}x.py:f", "can't be imported: FileNotFoundError: no such file"),
      ("os.path:no_such_name", "os.path has no 'no_such_name'"),
      ("os:path.no_such_name", "os has no 'path.no_such_name'"),
    ):
      with self.assertRaisesRegex(errors.UserError, message) as caught:
        references.resolve(reference, "tasks")
      self.assertNotIn("\n", str(caught.exception))

  def test_a_script_that_trains_when_it_is_imported_is_refused(self):
    workdir = self.folder.full_path + "/run"
    path = self.script(f"""
      import adaland
      class A: pass
      adaland.train(adaland.presets.smoke(), {workdir!r})
    """)
    with self.assertRaisesRegex(
      errors.UserError,
      f"^adaland.train was called while {path} was being imported; put the "
      'call under `if __name__ == "__main__":`$',
    ):
      references.resolve(f"{path}:A", "memory")
    self.assertFalse(os.path.exists(workdir))
    self.assertEqual(references.importing(), "")

  def test_a_main_program_without_a_guard_is_known_before_it_is_imported(self):
    for text, bare in (
      ("class A: pass\nA()", True),
      ("class A: pass\nif __name__ == '__main__':\n  A()", False),
    ):
      path = self.script(text)
      with absltest.mock.patch.object(
        sys.modules["__main__"], "__file__", path, create=True
      ):
        self.assertEqual(references.has_no_guard(f"{path}:A"), bare)
        self.assertFalse(references.has_no_guard(f"{path}.py:A"))
        self.assertFalse(references.has_no_guard("module:A"))

  def test_a_main_program_without_a_guard_is_refused_before_it_trains(self):
    workdir = self.folder.full_path + "/run"
    path = self.script(f"""
      import adaland
      class A: pass
      adaland.train(adaland.presets.smoke(memory=A), {workdir!r})
    """)
    done = subprocess.run(
      [sys.executable, path],
      env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
      capture_output=True,
      text=True,
      check=False,
    )
    # The status of any script that an error ends.
    self.assertEqual((done.returncode, done.stdout), (1, ""))
    self.assertEndsWith(
      done.stderr,
      f"UserError: memory: other processes import {path}:A, and would call "
      'adaland.train again; put the call under `if __name__ == "__main__":`\n',
    )
    self.assertFalse(os.path.exists(workdir))

  def test_children_are_told_the_folder_of_a_package_s_parent(self):
    package = self.folder.mkdir("some_package_of_mine")
    package.create_file("__init__.py", "")
    package.create_file("part.py", "x = 1")
    sys.path.append(self.folder.full_path)
    references.share_folder_of("some_package_of_mine.part:x")
    references.share_folder_of("some_package_of_mine.part:x")
    paths = os.environ["PYTHONPATH"].split(os.pathsep)
    self.assertEqual(paths.count(self.folder.full_path), 1)

  def test_children_need_not_be_told_of_what_is_installed(self):
    before = os.environ.get("PYTHONPATH")
    references.share_folder_of("numpy:zeros")
    references.share_folder_of("textwrap:dedent")
    references.share_folder_of("sys:exit")
    self.assertEqual(os.environ.get("PYTHONPATH"), before)


class MainProgramTest(absltest.TestCase):
  def run_python(self, *command, cwd):
    done = subprocess.run(
      [sys.executable, *command],
      cwd=cwd,
      env={**os.environ, "PYTHONPATH": str(_ROOT)},
      capture_output=True,
      text=True,
      timeout=600,
      check=False,
    )
    self.assertEqual(done.stderr, "")
    return done.stdout.strip()

  def test_of_the_main_program(self):
    folder = self.create_tempdir()
    program = textwrap.dedent("""
      from adaland.launch import errors
      from adaland.launch.config import references
      class Mine: pass
      if __name__ == "__main__":
        try:
          print(references.of(Mine, "memory"))
        except errors.UserError as error:
          print(error)
    """)
    path = folder.create_file("program.py", program).full_path
    cwd = folder.full_path
    self.assertEqual(self.run_python("program.py", cwd=cwd), f"{path}:Mine")
    self.assertEqual(self.run_python("-m", "program", cwd=cwd), "program:Mine")
    self.assertStartsWith(
      self.run_python("-c", program, cwd=cwd),
      "memory is defined in a notebook or an interactive session",
    )


if __name__ == "__main__":
  absltest.main()
