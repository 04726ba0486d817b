"""Short runs of the smallest preset."""

from adaland.launch.config import overrides, preset_configs
from adaland.launch.run import rundir


def begin(workdir, *settings):
  """Begins a run; returns its config and its directory."""
  config = overrides.apply(
    preset_configs.smoke(),
    [
      "run.log_seconds=0.2",
      "run.checkpoint_minutes=0.05",
      "run.max_minutes=15",
      "cluster.eval_minutes=0",
      "learner.muesli.model_steps=2",  # Each is traced.
      *settings,
    ],
  )
  run = rundir.RunDir(workdir)
  run.begin(config)
  return config, run
