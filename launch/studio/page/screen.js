// A canvas on which three.js draws.

import { MATERIALS, forget } from './shapes.js';
import * as THREE from './vendor/three.module.js';

const SLOW = /swiftshader|llvmpipe|software/i;
let known = null;

// Returns the name of the renderer, such as the graphics card's.
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
    // Shadows and smooth edges need a graphics card.
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

  // Lowers the quality on a slow machine.
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
    forget();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
  }
}
