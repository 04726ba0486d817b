"""Tests of the library's functions; own_parts_test trains."""

import contextlib
import json
import pathlib
from typing import Any, cast

import numpy as np
from absl.testing import absltest, parameterized

import adaland
from adaland.agent.checkpoint import weights
from adaland.envs import constants, land
from adaland.envs.sampling import sampler
from adaland.envs.tasks import json_files
from adaland.launch import api, errors
from adaland.launch.config import preset_configs
from adaland.launch.evaluation import policies, trained_agent
from adaland.launch.recipes import presets
from adaland.launch.train import Outcome

_NOOP = np.array(constants.NOOP_ACTION)


def fetch(index):
  """Returns tasks of a family."""
  return adaland.Task.of(
    "hold(player1, black cube)", ["black cube"], name=f"fetch {index}"
  )


class MakeTest(parameterized.TestCase):
  def test_environments_of_a_preset(self):
    env = api.make("smoke", num_envs=3, seed=4)
    step = env.reset()
    step = env.step(np.tile(_NOOP, (3, 1)))
    self.assertEqual(step.reward.shape, (3,))
    self.assertEqual(env.config, preset_configs.smoke().env)
    self.assertEqual(env.seeds, (4, 5, 6))
    for task in env.tasks:
      self.assertStartsWith(task.name, "train ")
    names = [task.name for task in env.tasks]
    self.assertLen(set(names), 3)

  def test_the_seed_decides_the_tasks(self):
    def names(seed):
      env = api.make("smoke", num_envs=3, seed=seed)
      env.reset()
      return [task.name for task in env.tasks]

    self.assertEqual(names(1), names(1))
    self.assertNotEqual(names(1), names(2))

  @parameterized.parameters(0, 2.0, True, "2")
  def test_refuses_numbers_of_environments(self, num_envs):
    with self.assertRaisesRegex(
      errors.UserError, f"num_envs is {num_envs!r}, allowed: a whole number"
    ):
      api.make("smoke", num_envs)

  def test_the_held_out_half(self):
    env = api.make("smoke", num_envs=3, held_out=True)
    env.reset()
    for task in env.tasks:
      self.assertStartsWith(task.name, "test ")

  @parameterized.parameters(
    (fetch(3),), ([fetch(3), fetch(3)],), (fetch,), (sampler.SamplerConfig(),)
  )
  def test_given_tasks_and_environments_with_room_for_any(self, tasks):
    env = api.make(tasks=tasks)
    env.reset()
    self.assertEqual(env.config.num_slots, land.LandConfig().num_slots)
    self.assertRegex(env.tasks[0].name, r"^(fetch|train) \d+$")

  def test_a_family_of_more_tasks_than_a_64_bit_integer(self):
    config = sampler.SamplerConfig(num_games=2**62)
    env = api.make(tasks=config)
    env.reset()
    self.assertStartsWith(env.tasks[0].name, "train ")

  def test_the_user_s_errors(self):
    refused: Any = (
      ({"source": "labtop"}, "^source: preset: 'labtop' .*mean 'laptop'"),
      ({"source": 3}, "^source is 3, allowed: a preset's name or an Exp"),
      ({"tasks": 3}, "tasks: "),
      ({"tasks": "no/such/folder"}, "tasks: no/such/folder: no such folder"),
      ({"tasks": "trap"}, "tasks: trap: no such family .* mean 'traps'"),
      ({"tasks": []}, "tasks: there are 0 tasks, allowed: 1 or more"),
      ({"tasks": lambda index: index}, "tasks: .* is 0, allowed: a Task"),
      ({"seed": -1}, "seed is -1, allowed: a whole number from 0"),
      ({"seed": 0.5}, "seed is 0.5, allowed: a whole number from 0"),
    )
    for arguments, message in refused:
      with self.assertRaisesRegex(errors.UserError, message):
        api.make(**arguments)
    many: Any = adaland.Task.of(
      "hold(player1, black cube)", ["black cube"] * 7, name="crowded"
    )
    env = api.make("smoke", tasks=many)
    with self.assertRaisesRegex(errors.UserError, "'crowded' has 7 objects"):
      env.reset()


class EvaluateTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.played: list[Any] = []

    def rewards(
      make_land, tasks, trials, make_policy, seed, repeats, progress, recorder
    ):
      self.assertIsNone(recorder)
      env = make_land(1, lambda _: tasks[0]).config
      policy = make_policy(api.make("smoke", num_envs=2))
      self.played.append((env, tasks, trials, policy, seed, repeats))
      progress(1.0)
      return {k: np.full((len(tasks), k), 1.0 * k) for k in trials}

    for name, fake in (
      ("trial_rewards", rewards),
      ("expert.expert_rewards", lambda tasks, *_, **__: [4.0] * len(tasks)),
    ):
      self.enter_context(
        absltest.mock.patch(f"adaland.launch.evaluation.fewshot.{name}", fake)
      )

  def test_a_function_on_held_out_tasks(self):
    def greedy(step):
      return np.tile(_NOOP, (len(step.first), 1))

    result = api.evaluate(greedy, "smoke", (4, 2, 4), num_tasks=3, seed=6)
    self.assertEqual(result["score"]["mean"], {"2": 0.5, "4": 1.0})
    self.assertEqual(result["policy"], "greedy")
    self.assertEqual(result["environment"], "")
    self.assertEqual(json.loads(json.dumps(result)), result)
    self.assertIn("| greedy | 0.50 ± 0.00 | 1.00 ± 0.00 |", str(result))
    self.assertIn("3 of 3 held-out tasks", str(result))
    [(env, tasks, trials, policy, seed, repeats)] = self.played
    self.assertEqual(env, preset_configs.smoke().env)
    self.assertEqual([t.name for t in tasks], ["test 0", "test 1", "test 2"])
    self.assertEqual((trials, seed, repeats), ([2, 4], 6, 1))
    step: Any = absltest.mock.Mock(first=[True, True])
    np.testing.assert_array_equal(policy.act(step), [_NOOP, _NOOP])

  def test_given_tasks(self):
    result = api.evaluate("noop", tasks=[fetch(1), fetch(2)], trials=[1])
    self.assertEqual(result["policy"], "noop")
    self.assertEqual([t["id"] for t in result["tasks"]], ["fetch 1", "fetch 2"])
    self.assertIn("2 of 2 tasks", str(result))
    result = api.evaluate("noop", tasks="probe", trials=[1], num_tasks=1)
    self.assertEqual(result["taskset"], "probe")

  def test_a_name_plays_any_task_and_a_function_what_fits_the_preset(self):
    result = api.evaluate("noop", tasks="probe", trials=[1])
    self.assertEqual(result["num_tasks"], 30)
    self.assertEqual(self.played[0][0], land.LandConfig())
    message = "objects; these environments hold at most 6"
    with self.assertRaisesRegex(errors.UserError, message):
      api.evaluate(lambda step: step, tasks="probe")

  def test_an_agent_plays_in_the_environments_of_its_run(self):
    agent = policies.Noop()
    agent.config = preset_configs.smoke()  # pyrefly: ignore[missing-attribute] (fake)
    api.evaluate(agent, num_tasks=1)
    self.assertEqual(self.played[0][0], preset_configs.smoke().env)

  def test_the_user_s_errors(self):
    refused: Any = (
      (
        ("nobody",),
        "policy: 'nobody' is not one of expert, explorer, forgetful, tutor, ",
      ),
      (
        ("noop", "smoke", ()),
        r"trials is \(\), allowed: a sequence of .* to 48",
      ),
      (
        ("noop", "smoke", np.array([1.5])),
        r"trials is array\(\[1.5\]\), allowed: a sequence",
      ),
      (
        ("noop", "smoke", np.array([[1]])),
        r"trials is array\(\[\[1\]\]\), allowed: a sequence",
      ),
      (("noop", "smoke", (0, 1)), "trials is .*, allowed: a sequence"),
      (("noop", "smoke", 2), "trials is 2, allowed: a sequence"),
      (("noop", "smoke", (True,)), "trials is .True,., allowed: a sequence"),
    )
    for arguments, message in refused:
      with self.assertRaisesRegex(errors.UserError, message):
        api.evaluate(*arguments, num_tasks=1)
    for field in ("num_tasks", "repeats"):
      for value in (0, 2.0, "2", True, None):
        numbers: Any = {field: value}
        with self.assertRaisesRegex(
          errors.UserError, f"{field} is {value!r}, allowed: a whole number fro"
        ):
          api.evaluate("noop", "smoke", **numbers)
    with self.assertRaisesRegex(errors.UserError, "seed is -1, allowed"):
      api.evaluate("noop", "smoke", seed=-1)
    with self.assertRaisesRegex(errors.UserError, "tasks: there are 0 tasks"):
      api.evaluate("noop", tasks=[])
    with self.assertRaisesRegex(errors.UserError, "tasks: .* is 5, allowed: a"):
      api.evaluate("noop", tasks=cast(Any, lambda index: index))

  def test_results_of_a_trained_agent_know_it(self):
    params = {"w": np.ones(2)}
    agent = trained_agent.TrainedAgent(
      preset_configs.smoke(), params, {}, temperature=0.5
    )
    found = api.evaluate(agent, num_tasks=1)
    self.assertEqual(found["agent_sha256"], weights.fingerprint(params))
    self.assertEqual((found["temperature"], found["workdir"]), (0.5, None))
    other = api.evaluate("noop", "smoke", num_tasks=1)
    self.assertIsNone(other["agent_sha256"])
    self.assertEqual(other["temperature"], 1.0)

  def test_numbers_may_be_numpy_s(self):
    result = api.evaluate("noop", "smoke", np.arange(1, 3), num_tasks=1)
    self.assertEqual(json.loads(json.dumps(result))["trials"], [1, 2])
    counts: Any = {"num_tasks": np.int64(1), "repeats": np.int64(2)}
    result = api.evaluate("noop", "smoke", [1], **counts)
    self.assertEqual(json.loads(json.dumps(result))["repeats"], 2)
    env = api.make("smoke", 2, np.int64(3))  # pyrefly: ignore[bad-argument-type] (as users may)
    self.assertEqual(env.seeds, (3, 4))

  def test_a_folder_is_the_same_tasks_as_text_and_as_a_path(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    for index in range(3):
      (folder / f"{index}.json").write_text(
        json.dumps(json_files.to_json(fetch(index)))
      )
    for tasks in (str(folder), folder):
      found = api.evaluate("noop", tasks=tasks, trials=[1])
      self.assertEqual(found["num_tasks"], 3)

  def test_a_path_is_no_name_of_a_task_set(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    (folder / "probe").mkdir()
    (folder / "probe" / "0.json").write_text(
      json.dumps(json_files.to_json(fetch(7)))
    )
    with contextlib.chdir(folder):
      for tasks, num_tasks in ((pathlib.Path("probe"), 1), ("probe", 30)):
        found = api.evaluate("noop", tasks=tasks, trials=[1])
        self.assertEqual(found["num_tasks"], num_tasks)


class TrainTest(absltest.TestCase):
  def test_the_agent_knows_how_its_training_went(self):
    asked = []

    def train(config, workdir, launcher, ray_address):
      asked.append((config, workdir, launcher, ray_address))
      return Outcome(
        workdir,
        {"env_steps": 5.0},
        {},
        {"agent": {"policy": "agent"}},
        "table",
      )

    with absltest.mock.patch.object(api, "train_and_evaluate", train):
      agent = api.train(presets.smoke({"run.seed": 3}), "r", "device")
    config = presets.smoke({"run.seed": 3}).config
    self.assertEqual(asked, [(config, "r", "device", None)])
    self.assertEqual(agent.config, config)
    self.assertEqual(agent.counters, {"env_steps": 5.0})
    self.assertEqual(agent.evaluation["agent"]["policy"], "agent")

  def test_an_agent_adapts_to_the_number_of_environments(self):
    made = []

    class Agent:
      def __init__(self, actor, params, num_envs, seed, temperature):
        made.append((params, num_envs, seed, temperature))
        self._num_envs = num_envs

      def act(self, step):
        return np.tile(_NOOP, (self._num_envs, 1))

    agent = adaland.TrainedAgent(
      preset_configs.smoke(), "params", {}, seed=7, temperature=0.5
    )
    with absltest.mock.patch.object(policies, "Agent", Agent):
      for num_envs in (2, 2, 3):
        step: Any = absltest.mock.Mock(first=[False] * num_envs)
        self.assertLen(agent.act(step), num_envs)
      agent.reset(3)
    self.assertEqual(made, [("params", n, 7, 0.5) for n in (2, 3, 3)])


if __name__ == "__main__":
  absltest.main()
