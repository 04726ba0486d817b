// The shapes and colours of objects and players, which all worlds share.

import * as THREE from './vendor/three.module.js';

const COLOURS = [0x1b1b20, 0x9c36cf, 0xffd21f];
const PLAYERS = [0xe8452f, 0x3577f2];
export const EYE = 0.85;

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

export const SHAPES = [
  new THREE.BoxGeometry(0.16, 0.8, 0.5),
  new THREE.BoxGeometry(0.4, 0.4, 0.4),
  new THREE.SphereGeometry(0.22, 28, 18),
  pyramid(),
];
export const EDGES = SHAPES.map((shape) => new THREE.EdgesGeometry(shape, 30));
export const MATERIALS = COLOURS.map((color) =>
  new THREE.MeshLambertMaterial({ color }));
export const RIM = new THREE.LineBasicMaterial(
  { color: 0xffffff, transparent: true, opacity: 0.35 });

export function avatar(index) {
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

// Frees the shared shapes on the graphics card. Otherwise a shape once drawn
// would keep its canvas, with the page around it, in memory forever.
export function forget() {
  for (const shared of [...SHAPES, ...EDGES, ...MATERIALS, RIM]) {
    shared.dispose();
  }
}
