// The colours of a world, which its seed determines; see `vision.Look`.

// Levels of the ground from the lowest colour to the highest.
const LEVELS = 3;

// Returns the ground's colour at a level: red, green and blue, 0 to 1.
export function mixed({ low, high }, level) {
  const share = Math.min(1, level / LEVELS);
  return low.map((x, i) => x + (high[i] - x) * share);
}
