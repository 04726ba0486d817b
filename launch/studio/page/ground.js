// The ground of a world: tiles, ramps, cliffs and the wall around them.
// A tile's form is as in `base.Scene.ramps`: from 5 on a diagonal cliff.

import { mixed } from './look.js';
import { wallLevel } from './motion.js';
import * as THREE from './vendor/three.module.js';

const LEVEL = 0.5;
const BORDER = 2;

export function colourOf([r, g, b]) {
  return new THREE.Color().setRGB(r, g, b, THREE.SRGBColorSpace);
}

export function ground({ heights, ramps, look }) {
  const [nx, ny] = [heights.length, heights[0].length];
  const [points, colours] = [[], []];
  const wall = new THREE.Color(0x9fb2cf);
  const inner = wallLevel(heights);
  const cliff = new THREE.Color(0x8a7460);
  const triangle = (a, b, c, colour) => {
    for (const p of [a, b, c]) {
      points.push(...p);
      colours.push(colour.r, colour.g, colour.b);
    }
  };
  const face = (a, b, c, d, colour) => {
    triangle(a, b, c, colour);
    triangle(a, c, d, colour);
  };
  const tileColour = (i, j, level) =>
    colourOf(mixed(look, level))
      .multiplyScalar((i + j) % 2 ? 1 : 0.86);
  // Height of a tile's corner, in metres.
  const at = (i, j, x, y) => {
    const ramp = ramps[i][j];
    const up = [0, x, y, 1 - x, 1 - y][ramp] ?? 0;
    return (heights[i][j] + up) * LEVEL;
  };
  for (let i = 0; i < nx; i++) {
    for (let j = 0; j < ny; j++) {
      const [x, y] = [i - nx / 2, j - ny / 2];
      const form = ramps[i][j];
      const level = heights[i][j] + (form > 0 && form < 5 ? 0.5 : 0);
      const colour = tileColour(i, j, level);
      if (heights[i][j] >= inner) {
        colour.copy(wall).multiplyScalar((i + j) % 2 ? 1 : 0.86);
      }
      const corner = (a, b) => [x + a, y + b, at(i, j, a, b)];
      face(corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1), colour);
      if (form >= 5) {
        // The higher half, counterclockwise, and the cliff below the diagonal.
        const around = [[1, 0], [1, 1], [0, 1], [0, 0]];
        const [p, m, q] = [0, 1, 2].map((n) => around[(form - 5 + n) % 4]);
        const top = (heights[i][j] + 1) * LEVEL;
        const upper = ([a, b]) => [x + a, y + b, top];
        triangle(upper(p), upper(m), upper(q),
          tileColour(i, j, heights[i][j] + 1));
        face(corner(...q), corner(...p), upper(p), upper(q), cliff);
      }
      const sides = [[1, 0, [1, 0], [1, 1]], [-1, 0, [0, 1], [0, 0]],
        [0, 1, [1, 1], [0, 1]], [0, -1, [0, 0], [1, 0]]];
      for (const [di, dj, p, q] of sides) {
        const [m, n] = [i + di, j + dj];
        if (m < 0 || n < 0 || m >= nx || n >= ny) continue;
        const other = (c) => at(m, n, c[0] - di, c[1] - dj);
        const [a, b] = [at(i, j, ...p), at(i, j, ...q)];
        if (a <= other(p) && b <= other(q)) continue;
        face([x + p[0], y + p[1], other(p)], [x + q[0], y + q[1], other(q)],
          [x + q[0], y + q[1], b], [x + p[0], y + p[1], a],
          heights[i][j] >= inner ? wall : cliff);
      }
    }
  }
  // The outer wall faces inwards, so that it hides nothing from outside.
  const top = LEVEL * Math.max(...heights.flat()) + BORDER;
  const [w, d] = [nx / 2, ny / 2];
  const corners = [[-w, -d], [w, -d], [w, d], [-w, d]];
  corners.forEach((p, i) => {
    const q = corners[(i + 1) % 4];
    const length = Math.hypot(q[0] - p[0], q[1] - p[1]);
    // Panels of two shades make a player's own movement visible.
    for (let n = 0; n < length; n++) {
      const [a, b] = [n, n + 1].map((m) =>
        [0, 1].map((axis) => p[axis] + (q[axis] - p[axis]) * m / length));
      face([...b, 0], [...a, 0], [...a, top], [...b, top],
        wall.clone().multiplyScalar(n % 2 ? 1 : .93));
    }
  });
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute(
    'position', new THREE.Float32BufferAttribute(points, 3));
  geometry.setAttribute('color', new THREE.Float32BufferAttribute(colours, 3));
  geometry.computeVertexNormals();
  const mesh = new THREE.Mesh(geometry, new THREE.MeshLambertMaterial(
    { vertexColors: true }));
  mesh.receiveShadow = true;
  return mesh;
}
