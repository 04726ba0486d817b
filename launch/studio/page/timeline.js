// The timeline below the players, for scrubbing: trials, rewards, fired rules.

import { COLOURS as DOTS } from './attention.js';
import { COLOURS } from './charts.js';
import { h } from './dom.js';

export class Timeline {
  constructor(seek) {
    this.canvas = h('canvas', { class: 'timeline', tabindex: '0',
      role: 'slider', 'aria-label': 'time: arrows step, Home and End jump' });
    this.seek = seek;
    const at = (event) => {
      const box = this.canvas.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      seek(Math.max(0, Math.min(1, share)) * (this.total - 1));
    };
    this.canvas.addEventListener('pointerdown', (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      at(event);
    });
    this.canvas.addEventListener('pointermove', (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) at(event);
    });
    this.total = 2;
  }

  // Draws the lanes' frames so far; `position` is the number of a step, and
  // `marks` has each lane's dots, see `attention.js`.
  draw(lanes, told, total, position, marks) {
    this.total = total;
    const { canvas } = this;
    const width = Math.round(canvas.clientWidth * devicePixelRatio) || 800;
    const height = Math.round(64 * devicePixelRatio);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const pen = canvas.getContext('2d');
    pen.clearRect(0, 0, width, height);
    const x = (i) => i / (total - 1) * width;
    const row = (height - 14) / lanes.length;
    pen.font = `${11 * devicePixelRatio}px sans-serif`;
    for (let k = 0; k < told.trials; k++) {
      pen.fillStyle = k % 2 ? '#1d2736' : '#222d3d';
      pen.fillRect(x(k * told.steps), 0, x(told.steps), height);
      pen.fillStyle = '#a9b6c8';
      pen.fillText(`trial ${k + 1}`, x(k * told.steps) + 4, height - 3);
    }
    lanes.forEach((frames, n) => {
      const y = n * row;
      pen.fillStyle = COLOURS[n % COLOURS.length];
      frames.forEach((frame, i) => {
        if (frame.r > 0) {
          pen.fillRect(x(i - 1), y + row * .25, Math.ceil(x(1)), row * .5);
        }
      });
      pen.globalAlpha = .35;
      pen.fillRect(0, y + row * .47, x(frames.length - 1), row * .06);
      pen.globalAlpha = 1;
      for (const { step, weight, isNow } of marks[n]) {
        const high = Math.sqrt(weight) * row;
        pen.fillStyle = isNow ? DOTS[0] : DOTS[1];
        pen.fillRect(x(step), y + row - high, Math.max(2, x(1) - 1), high);
      }
      frames.forEach((frame, i) => {
        if (!frame.f.length) return;
        pen.fillStyle = '#fff';
        pen.beginPath();
        pen.moveTo(x(i), y + 1);
        pen.lineTo(x(i) + 5, y + row * .5);
        pen.lineTo(x(i), y + row - 1);
        pen.lineTo(x(i) - 5, y + row * .5);
        pen.fill();
      });
    });
    pen.fillStyle = '#ffd84a';
    pen.fillRect(x(position) - 1, 0, 2 * devicePixelRatio, height);
    canvas.setAttribute('aria-valuenow', Math.round(position));
    canvas.setAttribute('aria-valuemax', total - 1);
  }
}

// Returns the next step, after or before one, on which a rule fired.
export function nextFiring(lanes, position, direction) {
  const fired = lanes.flatMap((frames) => frames
    .map((frame, i) => frame.f.length ? i : -1).filter((i) => i >= 0));
  const sorted = [...new Set(fired)].sort((a, b) => a - b);
  const found = direction > 0
    ? sorted.find((i) => i > position + .5)
    : sorted.reverse().find((i) => i < position - .5);
  return found ?? position;
}
