// The world in 3D, drawn by three.js. Metres, z is up.

import { COLOURS, MOST_DOTS } from './attention.js';
import { colourOf, ground } from './ground.js';
import { EDGES, EYE, MATERIALS, RIM, SHAPES, avatar } from './shapes.js';
import * as THREE from './vendor/three.module.js';

export { Screen } from './screen.js';

const SUN_METRES = 20;
const SKY = new THREE.Color(0x9cc4ea);
const [NOW, EARLIER] = COLOURS.map((colour) => new THREE.Color(colour));

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
    const sun = this.sun = new THREE.DirectionalLight(0xffffff, 2.1);
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
    this.dots = new THREE.InstancedMesh(new THREE.SphereGeometry(1, 12, 8),
      new THREE.MeshBasicMaterial({ transparent: true, opacity: 0.75,
        depthTest: false }), MOST_DOTS);
    this.dots.frustumCulled = false;
    this.dots.count = 0;
    this.scene.add(this.beam, this.halo, this.dots);
    this.halo.visible = false;
  }

  setGround(tiles) {
    if (this.ground) {
      this.scene.remove(this.ground);
      this.ground.geometry.dispose();
    }
    this.ground = ground(tiles);
    this.scene.add(this.ground);
    const { light, tint } = tiles.look;
    this.sun.position.set(...light).multiplyScalar(SUN_METRES);
    this.sun.color.copy(colourOf(tint));
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

  // Draws the hand: a line to the object that a player holds.
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

  // Draws the steps that the agent's memory attends to as dots along its path;
  // see `attention.js`.
  remember(dots) {
    this.dots.count = Math.min(MOST_DOTS, dots.length);
    const [at, size] = [new THREE.Matrix4(), new THREE.Vector3()];
    dots.slice(0, MOST_DOTS).forEach(({ x, y, z, radius, isNow }, n) => {
      at.makeTranslation(x, y, z + 0.05);
      this.dots.setMatrixAt(n, at.scale(size.setScalar(radius)));
      this.dots.setColorAt(n, isNow ? NOW : EARLIER);
    });
    this.dots.instanceMatrix.needsUpdate = true;
    if (dots.length) this.dots.instanceColor.needsUpdate = true;
  }

  eyes([x, y, z, yaw, pitch], aspect) {
    const eye = new THREE.Vector3(x, y, z + EYE);
    const flat = Math.cos(pitch);
    this.camera.position.copy(eye);
    this.camera.lookAt(eye.x + flat * Math.cos(yaw),
      eye.y + flat * Math.sin(yaw), eye.z + Math.sin(pitch));
    // 90 degrees from left to right, as in agents' views.
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
