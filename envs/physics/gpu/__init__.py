"""Physics on an accelerator by MuJoCo Warp."""
