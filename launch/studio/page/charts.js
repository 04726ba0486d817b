// Curves and bars as SVG.

import { s } from './dom.js';

export const COLOURS = ['#6fb1ff', '#6fe08a', '#ffd84a', '#c07bf2', '#ff8d85',
  '#7de3e0', '#f7a76c', '#d6dde8'];

// Draws curves: [{name, values, errors?}], values by trial from 1 or by `xs`.
export function lines(curves, { xs, width = 460, height = 210, title = '',
  label = '', bottom = 0, top = null } = {}) {
  const [left, right, up, down] = [42, 12, 22, 30];
  const finite = curves.flatMap((c) => c.values).filter(Number.isFinite);
  const most = top ?? (Math.max(bottom, ...finite) * 1.05 || 1);
  const least = Math.min(bottom, ...finite);
  const count = Math.max(1, ...curves.map((c) => c.values.length));
  const steps = xs ?? Array.from({ length: count }, (_, i) => i + 1);
  const [x0, x1] = [steps[0] ?? 0, steps.at(-1) ?? 1];
  const x = (i) => left + (width - left - right) *
    (x1 === x0 ? .5 : (steps[i] - x0) / (x1 - x0));
  const y = (v) => height - down - (height - up - down) *
    (v - least) / (most - least || 1);
  const chart = s('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img',
    width: '100%', 'aria-label': title });
  const text = (at, where, content, anchor = 'middle') => {
    const element = s('text', { x: at, y: where, 'text-anchor': anchor });
    element.textContent = content;
    chart.append(element);
  };
  text(left, 13, title, 'start');
  for (const share of [0, .5, 1]) {
    const value = least + share * (most - least);
    chart.append(s('line', { x1: left, x2: width - right, y1: y(value),
      y2: y(value), stroke: '#33415a' }));
    text(left - 5, y(value) + 4, short(value), 'end');
  }
  text(left, height - 12, short(x0), 'start');
  text(width - right, height - 12, short(x1), 'end');
  text((left + width) / 2, height - 3, label);
  curves.forEach((curve, n) => {
    const colour = COLOURS[n % COLOURS.length];
    const points = curve.values.map((v, i) => [v, i])
      .filter(([v]) => Number.isFinite(v));
    chart.append(s('polyline', { fill: 'none', stroke: colour,
      'stroke-width': 2.5, points: points.map(([v, i]) =>
        `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(' ') }));
    if (!xs) {
      for (const [v, i] of points) {
        chart.append(s('circle', { cx: x(i), cy: y(v), r: 3.5, fill: colour }));
        const error = curve.errors?.[i] ?? 0;
        if (error) {
          chart.append(s('line', { x1: x(i), x2: x(i), stroke: colour,
            y1: y(v - error), y2: y(v + error) }));
        }
      }
    }
    const name = s('text', { x: width - right, y: 13 + 14 * n,
      'text-anchor': 'end' });
    name.textContent = curve.name;
    name.style.fill = colour;
    if (curves.length > 1 || !title) chart.append(name);
  });
  return chart;
}

// Draws a bar for the reward of each trial; `most` is the full height.
export function bars(rewards, trials, most, trial) {
  const [width, height] = [260, 54];
  const chart = s('svg', { viewBox: `0 0 ${width} ${height}`, width: '100%',
    role: 'img', 'aria-label': `rewards ${rewards.join(', ')}` });
  const pitch = width / trials;
  for (let k = 0; k < trials; k++) {
    const reward = rewards[k] ?? 0;
    const high = 38 * Math.min(1, most ? reward / most : 0);
    chart.append(
      s('rect', { x: k * pitch + 2, y: 2, width: Math.max(1, pitch - 4),
        height: 38, fill: '#222d3d',
        stroke: k === trial ? '#ffd84a' : 'none' }),
      s('rect', { x: k * pitch + 2, y: 40 - high,
        width: Math.max(1, pitch - 4), height: high, fill: '#6fb1ff' }));
    if (trials <= 8 && k < rewards.length) {
      const text = s('text', { x: (k + .5) * pitch, y: 52,
        'text-anchor': 'middle' });
      text.textContent = reward.toFixed(1);
      chart.append(text);
    }
  }
  return chart;
}

export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toPrecision(3)}M`;
  if (size >= 1e4) return `${(value / 1e3).toPrecision(3)}k`;
  if (Number.isInteger(value)) return `${value}`;
  return size >= 100 ? value.toFixed(0) : value.toPrecision(2);
}
