"""Config of the smallest run in which rules fire and unrolls overlap."""

from adaland.launch.config import experiment, overrides, preset_configs

SETTINGS = (
  "run.seed=3",
  "run.max_minutes=0",
  "run.checkpoint_minutes=1e-9",
  "run.log_seconds=1e-9",
  "run.eval_tasks=0",
  "actor.envs_per_actor=3",
  "actor.unroll_length=8",
  "tasks.trials=[1,2]",
  "replay.capacity=6",
  "replay.min_size=2",
  "replay.batch_size=2",
  "network.d_model=8",
  "network.memory_length=6",
  "network.goal_sizes=[4]",
  "network.rules_sizes=[4]",
  "network.encoder_hidden=[8]",
  "network.entity_size=8",
  "network.head_size=8",
  "network.model_size=8",
  "network.num_bins=5",
  "learner.muesli.num_samples=2",
  "learner.muesli.model_steps=2",  # Each is traced.
)
# One- and two-player tasks in a batch, and all kinds of co-players.
PAIRS = (
  "env.num_players=2",
  "tasks.two_player_probability=0.5",
  "coplayers.self_share=0.3",
  "coplayers.pool_size=2",
  "coplayers.snapshot_updates=4",
)


def tiny(*settings: str) -> experiment.ExperimentConfig:
  """Returns the config with some settings changed."""
  return overrides.apply(preset_configs.smoke(), [*SETTINGS, *settings])
