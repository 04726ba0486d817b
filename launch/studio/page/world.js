// The world in 3D, drawn by three.js. Metres, z is up.

import { wallLevel } from './motion.js';
import * as THREE from './vendor/three.module.js';

const COLOURS = [0x1b1b20, 0x9c36cf, 0xffd21f];
const PLAYERS = [0xe8452f, 0x3577f2];
const LEVEL = 0.5;
const BORDER = 2;
const EYE = 0.85;
const SKY = new THREE.Color(0x9cc4ea);
const RAMPS = [[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]];

function pyramid() {
  const [b, low, top] = [0.25, -0.1125, 0.3375];
  const corners = [[-b, -b, low], [b, -b, low], [b, b, low], [-b, b, low]];
  const points = [];
  corners.forEach((corner, i) => points.push(
    ...corner, ...corners[(i + 1) % 4], 0, 0, top));
  for (const i of [0, 2, 1, 0, 3, 2]) points.push(...corners[i]);
  const shape = new THREE.BufferGeometry();
  shape.setAttribute('position', new THREE.Float32BufferAttribute(points, 3));
  shape.computeVertexNormals();
  return shape;
}

const SHAPES = [
  new THREE.BoxGeometry(0.16, 0.8, 0.5),
  new THREE.BoxGeometry(0.4, 0.4, 0.4),
  new THREE.SphereGeometry(0.22, 28, 18),
  pyramid(),
];
const EDGES = SHAPES.map((shape) => new THREE.EdgesGeometry(shape, 30));
const MATERIALS = COLOURS.map((color) =>
  new THREE.MeshLambertMaterial({ color }));
const RIM = new THREE.LineBasicMaterial(
  { color: 0xffffff, transparent: true, opacity: 0.35 });

function ground({ heights, ramps }) {
  const [nx, ny] = [heights.length, heights[0].length];
  const [points, colours] = [[], []];
  const low = new THREE.Color(0x4d7a4b);
  const high = new THREE.Color(0xd3c089);
  const wall = new THREE.Color(0x9fb2cf);
  const inner = wallLevel(heights);
  const cliff = new THREE.Color(0x8a7460);
  const face = (a, b, c, d, colour) => {
    for (const p of [a, b, c, a, c, d]) {
      points.push(...p);
      colours.push(colour.r, colour.g, colour.b);
    }
  };
  // Height of a tile's corner, in metres.
  const at = (i, j, x, y) => {
    const ramp = ramps[i][j];
    const up = [0, x, y, 1 - x, 1 - y][ramp];
    return (heights[i][j] + up) * LEVEL;
  };
  for (let i = 0; i < nx; i++) {
    for (let j = 0; j < ny; j++) {
      const [x, y] = [i - nx / 2, j - ny / 2];
      const level = heights[i][j] + (ramps[i][j] ? 0.5 : 0);
      const colour = low.clone().lerp(high, Math.min(1, level / 3));
      if (heights[i][j] >= inner) colour.copy(wall);
      colour.multiplyScalar((i + j) % 2 ? 1 : 0.86);
      const corner = (a, b) => [x + a, y + b, at(i, j, a, b)];
      face(corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1), colour);
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
  // The outer wall faces inwards: from above one looks over it.
  const top = LEVEL * Math.max(...heights.flat()) + BORDER;
  const [w, d] = [nx / 2, ny / 2];
  const corners = [[-w, -d], [w, -d], [w, d], [-w, d]];
  corners.forEach((p, i) => {
    const q = corners[(i + 1) % 4];
    const length = Math.hypot(q[0] - p[0], q[1] - p[1]);
    // In panels, so that one sees oneself move.
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

function avatar(index) {
  const group = new THREE.Group();
  const body = new THREE.Mesh(new THREE.CapsuleGeometry(0.25, 0.5, 6, 18),
    new THREE.MeshLambertMaterial({ color: PLAYERS[index] }));
  body.rotation.x = Math.PI / 2;
  body.position.z = 0.5;
  body.castShadow = true;
  const visor = new THREE.Mesh(new THREE.BoxGeometry(0.16, 0.36, 0.12),
    new THREE.MeshLambertMaterial({ color: 0x10151d }));
  visor.position.set(0.17, 0, EYE - 0.08);
  const nose = new THREE.Mesh(new THREE.ConeGeometry(0.12, 0.35, 4),
    new THREE.MeshLambertMaterial({ color: 0xffffff }));
  nose.rotation.z = -Math.PI / 2;
  nose.position.set(0.45, 0, 0.06);
  group.add(body, visor, nose);
  return group;
}

// One world and the cameras in it.
export class World {
  constructor() {
    this.scene = new THREE.Scene();
    this.scene.background = SKY;
    this.scene.fog = new THREE.Fog(SKY, 14, 42);
    this.camera = new THREE.PerspectiveCamera(60, 4 / 3, 0.05, 120);
    this.camera.up.set(0, 0, 1);
    this.objects = new Map();
    this.players = [];
    const sun = new THREE.DirectionalLight(0xfff1dc, 2.1);
    sun.position.set(6, -9, 16);
    sun.castShadow = true;
    sun.shadow.mapSize.set(1024, 1024);
    const reach = 15;
    Object.assign(sun.shadow.camera,
      { left: -reach, right: reach, top: reach, bottom: -reach, far: 50 });
    sun.shadow.bias = -0.001;
    this.scene.add(sun, new THREE.HemisphereLight(0xeef5ff, 0x9a9a94, 2.2));
    this.beam = new THREE.Line(new THREE.BufferGeometry(),
      new THREE.LineBasicMaterial({ color: 0xffffff }));
    this.beam.frustumCulled = false;
    this.halo = new THREE.Mesh(new THREE.RingGeometry(0.34, 0.42, 40),
      new THREE.MeshBasicMaterial({ color: 0x6fb1ff, transparent: true,
        side: THREE.DoubleSide, depthTest: false }));
    this.scene.add(this.beam, this.halo);
    this.halo.visible = false;
  }

  setGround(tiles) {
    if (this.ground) {
      this.scene.remove(this.ground);
      this.ground.geometry.dispose();
    }
    this.ground = ground(tiles);
    this.scene.add(this.ground);
    this.size = Math.max(tiles.heights.length, tiles.heights[0].length);
  }

  // Shows a pose. Options: `me`, the player whose eyes are the camera, and
  // `only`, the slots to show, all if null.
  setPose(pose, { me = -1, only = null } = {}) {
    const seen = new Set();
    for (const [slot, type, x, y, z, w, qx, qy, qz] of pose.o) {
      if (only && !only.includes(slot)) continue;
      const key = `${slot}:${type}`;
      seen.add(key);
      let mesh = this.objects.get(key);
      if (!mesh) {
        const [shape, colour] = [Math.floor((type - 1) / 3), (type - 1) % 3];
        mesh = new THREE.Mesh(SHAPES[shape], MATERIALS[colour]);
        mesh.castShadow = mesh.receiveShadow = true;
        if (shape !== 2) mesh.add(new THREE.LineSegments(EDGES[shape], RIM));
        this.objects.set(key, mesh);
        this.scene.add(mesh);
      }
      mesh.position.set(x, y, z);
      mesh.quaternion.set(qx, qy, qz, w).normalize();
    }
    for (const [key, mesh] of this.objects) {
      if (seen.has(key)) continue;
      this.scene.remove(mesh);
      this.objects.delete(key);
    }
    pose.p.forEach(([x, y, z, yaw], i) => {
      this.players[i] ??= this.scene.add(avatar(i)).children.at(-1);
      this.players[i].position.set(x, y, z);
      this.players[i].rotation.z = yaw;
      this.players[i].visible = i !== me;
    });
    this.hold(pose, me);
  }

  // Draws the hand: a line to what a player holds.
  hold(pose, me) {
    const points = [];
    pose.p.forEach((p, i) => {
      const held = pose.o.find((o) => o[0] === p[5]);
      if (!held) return;
      const side = i === me ? 0.22 : 0;
      points.push(new THREE.Vector3(p[0] + side * Math.sin(p[3]),
        p[1] - side * Math.cos(p[3]), p[2] + (i === me ? 0.55 : 0.7)),
      new THREE.Vector3(held[2], held[3], held[4]));
    });
    this.beam.visible = points.length > 0;
    if (points.length) this.beam.geometry.setFromPoints(points);
  }

  // Rings the object that the agent's memory attends to most.
  attend(pose, gaze) {
    const slot = gaze ? gaze.indexOf(Math.max(...gaze)) : -1;
    const found = gaze?.[slot] > 30 && pose.o.find((o) => o[0] === slot);
    this.halo.visible = Boolean(found);
    if (!found) return;
    this.halo.position.set(found[2], found[3], found[4]);
    this.halo.material.opacity = gaze[slot] / 100;
    this.halo.quaternion.copy(this.camera.quaternion);
  }

  eyes([x, y, z, yaw, pitch], aspect) {
    const eye = new THREE.Vector3(x, y, z + EYE);
    const flat = Math.cos(pitch);
    this.camera.position.copy(eye);
    this.camera.lookAt(eye.x + flat * Math.cos(yaw),
      eye.y + flat * Math.sin(yaw), eye.z + Math.sin(pitch));
    // As for agents, 90 degrees from left to right.
    this.lens(2 * Math.atan(1 / aspect) * 180 / Math.PI, aspect);
  }

  above(aspect, tilt = 0.45) {
    const far = this.size + 1.6;
    this.camera.position.set(0, -far * Math.sin(tilt), far * Math.cos(tilt));
    this.camera.lookAt(0, -0.2, 0);
    this.lens(56, aspect);
  }

  follow([x, y, z, yaw], aspect) {
    this.camera.position.set(
      x - 3.2 * Math.cos(yaw), y - 3.2 * Math.sin(yaw), z + 2.6);
    this.camera.lookAt(x + 1.2 * Math.cos(yaw), y + 1.2 * Math.sin(yaw), z);
    this.lens(62, aspect);
  }

  lens(angle, aspect) {
    this.camera.fov = angle;
    this.camera.aspect = aspect;
    this.camera.updateProjectionMatrix();
  }
}

const SLOW = /swiftshader|llvmpipe|software/i;
let known = null;

// Returns what draws here, such as the graphics card.
function rendererName() {
  if (known !== null) return known;
  const pen = document.createElement('canvas').getContext('webgl2');
  const names = pen?.getExtension('WEBGL_debug_renderer_info');
  known = names ? pen.getParameter(names.UNMASKED_RENDERER_WEBGL) : '';
  pen?.getExtension('WEBGL_lose_context')?.loseContext();
  return known;
}

// A canvas that shows one world, or several in a grid.
export class Screen {
  constructor(canvas) {
    this.canvas = canvas;
    // Shadows, and smooth edges, where there is a graphics card.
    const fine = !SLOW.test(rendererName());
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: fine,
      alpha: true });
    this.renderer.shadowMap.enabled = fine;
    this.renderer.setScissorTest(true);
    this.ratio = fine ? Math.min(devicePixelRatio, 2) : 0.5;
    this.slow = 0;
  }

  resize(width, height) {
    if (this.width === width && this.height === height &&
        this.drawn === this.ratio) return;
    [this.width, this.height, this.drawn] = [width, height, this.ratio];
    this.renderer.setPixelRatio(this.ratio);
    this.renderer.setSize(width, height, false);
  }

  // Draws a world in a rectangle [left, top, width, height] of the canvas.
  draw(world, [left, top, width, height]) {
    const bottom = this.height - top - height;
    this.renderer.setViewport(left, bottom, width, height);
    this.renderer.setScissor(left, bottom, width, height);
    this.renderer.render(world.scene, world.camera);
  }

  // Draws less finely where a machine is slow.
  pace(milliseconds) {
    this.slow = Math.max(0, this.slow + milliseconds - 45);
    if (this.slow < 1500) return;
    this.slow = 0;
    if (this.renderer.shadowMap.enabled) {
      this.renderer.shadowMap.enabled = false;
      for (const material of MATERIALS) material.needsUpdate = true;
    } else if (this.ratio > 0.3) this.ratio /= 1.5;
  }

  close() {
    this.renderer.dispose();
    this.renderer.forceContextLoss();
  }
}
