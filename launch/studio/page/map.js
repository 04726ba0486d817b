// A world from above on a plain canvas: for the gallery, the editor, and
// browsers without WebGL.

import { COLOURS } from './attention.js';
import { mixed } from './look.js';
import { wallLevel } from './motion.js';

const WALL = '#7f8fa9';
const FILL = ['#202026', '#a648d6', '#ffd84a'];
const PLAYERS = ['#e8452f', '#3577f2'];
const ARROWS = ['', '→', '↑', '←', '↓'];

// Returns the scale and the functions between metres and the canvas.
export function view(canvas, heights) {
  const [nx, ny] = [heights.length, heights[0].length];
  const scale = Math.min(canvas.width / nx, canvas.height / ny);
  const [cx, cy] = [canvas.width / 2, canvas.height / 2];
  return {
    scale,
    to: (x, y) => [cx + x * scale, cy - y * scale],
    from: (px, py) => [(px - cx) / scale, (cy - py) / scale],
  };
}

function shape(pen, kind, x, y, size) {
  pen.beginPath();
  if (kind === 2) pen.arc(x, y, size * 1.1, 0, 7);
  else if (kind === 3) {
    pen.moveTo(x, y - size * 1.25);
    pen.lineTo(x + size * 1.25, y + size);
    pen.lineTo(x - size * 1.25, y + size);
    pen.closePath();
  } else if (kind === 0) pen.rect(x - size * .5, y - size * 1.9, size, size * 3.8);
  else pen.rect(x - size, y - size, 2 * size, 2 * size);
}

// Draws a map. Objects are [type, x, y] and players [x, y, yaw or null].
export function drawMap(canvas, { heights, ramps, look }, objects, players) {
  const pen = canvas.getContext('2d');
  pen.fillStyle = '#0b0f15';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const { scale, to } = view(canvas, heights);
  const [nx, ny] = [heights.length, heights[0].length];
  const wall = wallLevel(heights);
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  for (let i = 0; i < nx; i++) {
    for (let j = 0; j < ny; j++) {
      const form = ramps[i][j];
      const shade = (i + j) % 2 ? 1 : .88;
      const ground = (level) =>
        `rgb(${mixed(look, level).map((c) => Math.round(255 * c * shade))})`;
      const level = heights[i][j] + (ARROWS[form] ? .5 : 0);
      pen.fillStyle = heights[i][j] >= wall ? WALL : ground(level);
      const [x, y] = to(i - nx / 2, j + 1 - ny / 2);
      pen.fillRect(x, y, Math.ceil(scale), Math.ceil(scale));
      if (!form) continue;
      if (form >= 5) {
        // A diagonal cliff: all but the corner opposite its higher one.
        const around = [[0, 1], [1, 1], [1, 0], [0, 0]];
        around.splice(form - 5, 1);
        pen.beginPath();
        around.forEach(([a, b]) => pen.lineTo(x + a * scale, y + b * scale));
        pen.fillStyle = ground(level + 1);
        pen.fill();
        continue;
      }
      pen.fillStyle = '#0009';
      pen.font = `${scale * .7}px sans-serif`;
      pen.fillText(ARROWS[form], x + scale / 2, y + scale / 2);
    }
  }
  const size = Math.max(4, .2 * scale);
  pen.lineWidth = Math.max(1, scale / 28);
  for (const [type, px, py, mark] of objects) {
    const [x, y] = to(px, py);
    shape(pen, Math.floor((type - 1) / 3), x, y, size);
    pen.fillStyle = FILL[(type - 1) % 3];
    pen.strokeStyle = mark ? '#6fb1ff' : '#ffffffd0';
    pen.fill();
    pen.stroke();
  }
  players.forEach(([px, py, yaw], i) => {
    const [x, y] = to(px, py);
    pen.beginPath();
    if (yaw === null || yaw === undefined) pen.arc(x, y, size * 1.2, 0, 7);
    else {
      for (const turn of [0, 2.5, -2.5]) {
        pen.lineTo(x + 2 * size * Math.cos(yaw + turn),
          y - 2 * size * Math.sin(yaw + turn));
      }
      pen.closePath();
    }
    pen.fillStyle = PLAYERS[i];
    pen.strokeStyle = '#fff';
    pen.fill();
    pen.stroke();
  });
}

// Draws a frame of a game from above, with the dots of `attention.js`.
export function drawFrame(canvas, ground, pose, dots = []) {
  drawMap(canvas, ground, pose.o.map((o) => [o[1], o[2], o[3]]),
    pose.p.map((p) => [p[0], p[1], p[3]]));
  const pen = canvas.getContext('2d');
  const { scale, to } = view(canvas, ground.heights);
  for (const { x, y, radius, isNow } of dots) {
    pen.beginPath();
    pen.arc(...to(x, y), radius * scale, 0, 7);
    pen.fillStyle = `${isNow ? COLOURS[0] : COLOURS[1]}b0`;
    pen.fill();
  }
}

// Draws a task's start.
export function drawStart(canvas, scene) {
  drawMap(canvas, scene, scene.objects.map((o) => [o[0], o[1], o[2]]),
    scene.players.map((p) => [p[0], p[1], null]));
}
