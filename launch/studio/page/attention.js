// The past steps that an agent's memory attends to.

// Colours of the dots of the current trial and of earlier ones.
export const COLOURS = ['#5fe0ff', '#ff9d3c'];
export const MOST_DOTS = 256;
const SIZE = 0.7; // Radius at weight 1, metres; areas are as the weights.

// Returns [steps ago, weight from 0 to 1] of a frame; `layer` is a number, or
// '' for the mean over layers.
export function weights(frame, layer) {
  const chosen = layer === '' ? frame.past ?? [] : [frame.past?.[layer] ?? []];
  const sums = new Map();
  for (const [ago, percent] of chosen.flat()) {
    sums.set(ago, (sums.get(ago) ?? 0) + percent / 100 / chosen.length);
  }
  return [...sums];
}

// Returns the dots of a lane's frame i: where the agent was at each step that it
// attends to, the heaviest first.
export function dots(frames, i, layer) {
  const found = [];
  for (const [ago, weight] of weights(frames[i], layer)) {
    const then = frames[i - ago];
    if (!then) continue;
    const [x, y, z] = then.p[0];
    found.push({ step: i - ago, x, y, z, weight,
      radius: SIZE * Math.sqrt(weight), isNow: then.k === frames[i].k });
  }
  return found.sort((a, b) => b.weight - a.weight);
}

// Returns each trial's share of the attention, in words.
export function inWords(frames, found) {
  const shares = new Map();
  for (const { step, weight } of found) {
    const trial = frames[step].k;
    shares.set(trial, (shares.get(trial) ?? 0) + weight);
  }
  const all = [...shares.values()].reduce((a, b) => a + b, 0);
  return [...shares].sort(([a], [b]) => a - b).map(([trial, weight]) =>
    `trial ${trial + 1} ${Math.round(100 * weight / all)} %`).join(', ');
}
