"""Tests that loading a file runs no code, by the sources and by audit hooks."""

import ast
import pathlib
import subprocess
import sys
import textwrap

from absl.testing import absltest

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_PACKAGES = ("agent", "curriculum", "envs", "launch")
# Modules whose data may name code to run.
_PICKLING = ("cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve")
# Messages between our own processes, never files.
_MAY_PICKLE = ("launch/runtimes/socket_rpc.py",)


def faults(source: str) -> list[str]:
  """Returns the expressions of a module that might run code from data."""
  found = []
  for node in ast.walk(ast.parse(source)):
    if isinstance(node, ast.Import):
      names = [alias.name for alias in node.names]
      found += [n for n in names if n.split(".")[0] in _PICKLING]
    elif isinstance(node, ast.ImportFrom):
      if (node.module or "").split(".")[0] in _PICKLING:
        found.append(str(node.module))
    elif isinstance(node, ast.Call) and _may_run_code(node):
      found.append(ast.unparse(node.func))
  return found


def _may_run_code(call: ast.Call) -> bool:
  name = ast.unparse(call.func)
  if name in ("np.load", "numpy.load"):
    words = {word.arg: ast.unparse(word.value) for word in call.keywords}
    return words.get("allow_pickle") != "False"
  return name in ("eval", "exec", "compile", "__import__", "yaml.load")


class SourcesTest(absltest.TestCase):
  def test_only_messages_between_our_processes_are_pickled(self):
    found = {}
    for package in _PACKAGES:
      for path in (_ROOT / package).rglob("*.py"):
        if these := faults(path.read_text()):
          found[str(path.relative_to(_ROOT))] = these
    self.assertEqual(found, {path: ["pickle"] for path in _MAY_PICKLE})

  def test_expressions_that_run_code_are_found(self):
    for source in (
      "def f():\n  import pickle as p",
      "from pickle import loads",
      "import joblib",
      "np.load(path)",
      "np.load(path, allow_pickle=True)",
      "eval(text)",
      "yaml.load(file)",
    ):
      self.assertLen(faults(source), 1, source)
    self.assertEmpty(faults("np.load(path, allow_pickle=False)"))


class AuditTest(absltest.TestCase):
  def test_audit_hooks_see_no_code_run(self):
    # The first call imports modules, so the second one counts.
    code = """
      import os, pathlib, sys
      import numpy as np
      from adaland.agent.checkpoint import checkpoint
      from adaland.envs.tasks import json_files, probes
      from adaland.launch import errors
      from adaland.launch.agents import agent_dir
      from adaland.launch.config import preset_configs
      from adaland.launch.evaluation import demo, trained_agent
      from adaland.launch.run import rundir

      folder = pathlib.Path(sys.argv[1])
      task = probes.load(probes.names()[0])
      steps = task.trials * task.trial_steps
      actions = np.zeros((steps, 6), np.int32)
      demo.save(str(folder / "demo.npz"), demo.Demo(task, 0, actions, [0.0]))
      json_files.save(folder / "task.json", task)
      rundir.RunDir(str(folder / "run")).begin(preset_configs.smoke()).close()
      state = {"w": np.ones((3, 2), np.float32), "n": np.int32(4)}
      checkpoint.save(folder / "saved", 1, state, {"x": np.ones(2)})
      made = agent_dir.Description(
        "made", preset_configs.smoke(), agent_dir.Training(1, 2, 3.0)
      )
      agent_dir.write(str(folder / "made"), made, state, "")

      def load():
        json_files.load(folder / "task.json")
        demo.load(str(folder / "demo.npz"))
        trained_agent.load_config(str(folder / "run"))
        checkpoint.restore(folder / "saved", state)
        agent_dir.read(folder / "made")
        agent_dir.read_params(folder / "made", state)

      seen = []
      watched = (
        "exec", "code.__new__", "ctypes.dlopen", "marshal.loads", "os.exec",
        "os.system", "pickle.find_class", "subprocess.Popen",
      )

      def watch(event, args):
        if recording and event in watched:
          seen.append((event, args))

      recording = False
      sys.addaudithook(watch)
      load()
      recording = True
      load()
      recording = False
      print(seen)

      # A pickle that makes a file where it is loaded.
      class Evil:
        def __reduce__(self):
          return os.mkdir, (str(folder / "run-by-a-file"),)

      evil = np.array([Evil()], object)
      np.savez(folder / "evil.npz", format=np.array(demo.FORMAT), task=evil)
      recording = True
      try:
        demo.load(str(folder / "evil.npz"))
      except errors.UserError as error:
        print("refused")
      print(seen, (folder / "run-by-a-file").exists())
      seen.clear()
      np.load(folder / "evil.npz", allow_pickle=True)["task"]
      recording = False
      print("pickle.find_class" in [event for event, _ in seen])
    """
    result = subprocess.run(
      [
        sys.executable,
        "-c",
        textwrap.dedent(code),
        self.create_tempdir().full_path,
      ],
      cwd=_ROOT,
      capture_output=True,
      text=True,
      timeout=600,
      check=False,
    )
    self.assertEqual(
      result.stdout, "[]\nrefused\n[] False\nTrue\n", result.stderr
    )


if __name__ == "__main__":
  absltest.main()
