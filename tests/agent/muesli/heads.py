"""Policies of two heads in NumPy, for references."""

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

SIZES = (3, 2)
S = 5


def log_softmax(x: np.ndarray) -> np.ndarray:
  x = x - x.max(axis=-1, keepdims=True)
  return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def log_policy(logits: np.ndarray) -> np.ndarray:
  return np.concatenate(
    [log_softmax(logits[..., :3]), log_softmax(logits[..., 3:])], axis=-1
  )


def one_hot(action: np.ndarray) -> np.ndarray:
  return np.concatenate(
    [np.eye(3)[action[..., 0]], np.eye(2)[action[..., 1]]], axis=-1
  )


def float32(x: npt.ArrayLike) -> jax.Array:
  # NumPy converts without a program for each shape.
  return jnp.asarray(np.asarray(x, np.float32))
