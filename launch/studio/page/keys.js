// A person's input from keyboard, mouse, touch or game pad, as the six heads of
// an action. Looking sets a direction, which the avatar follows.

import { turned } from './motion.js';

const MOVES = {
  KeyW: ['move', 2], ArrowUp: ['move', 2], KeyS: ['move', 0],
  ArrowDown: ['move', 0], KeyA: ['strafe', 0], KeyD: ['strafe', 2],
  KeyX: ['hand', 0], KeyC: ['hand', 2],
};
const TURNS = {
  KeyQ: ['yaw', 1], ArrowLeft: ['yaw', 1], KeyE: ['yaw', -1],
  ArrowRight: ['yaw', -1], KeyR: ['pitch', 1], KeyF: ['pitch', -1],
  PageUp: ['pitch', 1], PageDown: ['pitch', -1],
};
const TURN_RATE = 2.4; // Radians per second.
const LOOK_RATE = 0.9;
const MOUSE = 0.0028; // Radians per pixel.
const LEAD = 1.1; // Radians by which the picture may lead the avatar.
const PITCH = 1;

export class Controls {
  constructor(stage, changed) {
    this.stage = stage;
    this.changed = changed;
    this.held = new Set();
    this.aim = { yaw: 0, pitch: 0 };
    this.grip = 0;
    this.sticks = { left: [0, 0], right: [0, 0] }; // Touch.
    this.padSticks = { left: [0, 0], right: [0, 0] };
    this.pressed = 0; // Time of the last key press; 0 once it was sent.
    this.signal = new AbortController();
    const options = { signal: this.signal.signal };
    stage.addEventListener('keydown', (event) => this.down(event), options);
    stage.addEventListener('keyup', (event) => this.up(event), options);
    stage.addEventListener('blur', () => this.release(), options);
    stage.addEventListener('mousemove', (event) => this.mouse(event), options);
    stage.addEventListener('mousedown', (event) => this.click(event), options);
    stage.addEventListener('wheel', (event) => this.wheel(event),
      { ...options, passive: false });
  }

  close() {
    this.signal.abort();
    if (document.pointerLockElement) document.exitPointerLock();
  }

  down(event) {
    if (event.code === 'Space') {
      if (!event.repeat) this.toggleGrip();
    } else if (event.code in MOVES || event.code in TURNS) {
      if (event.repeat) { event.preventDefault(); return; }
      this.held.add(event.code);
    } else return;
    event.preventDefault();
    this.pressed = event.timeStamp;
    this.isLook = event.code in TURNS;
    this.changed();
  }

  up(event) {
    if (this.held.delete(event.code)) this.changed();
  }

  release() {
    this.held.clear();
    this.changed();
  }

  toggleGrip() {
    this.grip = 1 - this.grip;
    this.changed();
  }

  mouse(event) {
    if (document.pointerLockElement !== this.stage) return;
    this.turn(-event.movementX * MOUSE, -event.movementY * MOUSE);
  }

  click(event) {
    if (event.target.closest('button, .banner')) return;
    if (document.pointerLockElement === this.stage) this.toggleGrip();
    else if (event.button === 0) {
      this.stage.focus();
      // The browser may refuse it; keys still work.
      this.stage.requestPointerLock?.()?.catch?.(() => {});
    }
  }

  wheel(event) {
    event.preventDefault();
    const code = event.deltaY > 0 ? 'KeyX' : 'KeyC';
    this.held.add(code);
    this.changed();
    clearTimeout(this.wheeling);
    this.wheeling = setTimeout(() => {
      this.held.delete('KeyX');
      this.held.delete('KeyC');
      this.changed();
    }, 180);
  }

  turn(yaw, pitch) {
    this.aim.yaw += yaw;
    this.aim.pitch = Math.max(-PITCH, Math.min(PITCH, this.aim.pitch + pitch));
    this.moved = true;
  }

  // Sets the direction to the avatar's, as at the start of a trial.
  face(yaw, pitch) { this.aim = { yaw, pitch }; }

  // Turns by the held keys and sticks, within LEAD of the avatar.
  tick(seconds, yaw) {
    let [left, up] = [0, 0];
    for (const code of this.held) {
      const found = TURNS[code];
      if (found?.[0] === 'yaw') left += found[1];
      if (found?.[0] === 'pitch') up += found[1];
    }
    this.pad();
    const [x, y] = this.stick('right');
    left -= x;
    up -= y;
    if (left || up) {
      this.turn(left * TURN_RATE * seconds, up * LOOK_RATE * seconds);
    }
    const ahead = turned(this.aim.yaw - yaw);
    this.aim.yaw = yaw + Math.max(-LEAD, Math.min(LEAD, ahead));
    if (this.moved) { this.moved = false; this.changed(); }
  }

  // Returns a stick's position: the game pad's, or the touch one's if it rests.
  stick(side) {
    const pad = this.padSticks[side];
    return pad.some((value) => value) ? pad : this.sticks[side];
  }

  // Reads the first game pad.
  pad() {
    const pad = navigator.getGamepads?.().find((found) => found);
    if (!pad) return;
    const dead = (value) => Math.abs(value) < .2 ? 0 : value;
    this.padSticks = { left: [dead(pad.axes[0]), dead(pad.axes[1])],
      right: [dead(pad.axes[2] ?? 0), dead(pad.axes[3] ?? 0)] };
    const grips = pad.buttons[0]?.pressed || pad.buttons[7]?.pressed;
    if (grips && !this.gripping) this.toggleGrip();
    this.gripping = grips;
    const moving = this.padSticks.left.some((value) => value);
    if (moving || this.padMoved) this.moved = true;
    this.padMoved = moving;
  }

  // Returns the fields of the message `act`.
  wish() {
    const heads = { move: 1, strafe: 1, hand: 1 };
    for (const code of this.held) {
      if (code in MOVES) heads[MOVES[code][0]] = MOVES[code][1];
    }
    const [x, y] = this.stick('left');
    if (Math.abs(x) > .4) heads.strafe = x > 0 ? 2 : 0;
    if (Math.abs(y) > .4) heads.move = y > 0 ? 0 : 2;
    return { ...heads, grip: this.grip, ...this.aim };
  }
}

// Adds touch sticks if there is a touch screen.
export function addTouch(stage, controls) {
  if (!matchMedia('(pointer: coarse)').matches) return;
  const stick = (side) => {
    const pad = document.createElement('div');
    pad.className = `touch on ${side}`;
    const set = (event) => {
      const box = pad.getBoundingClientRect();
      const at = (p, start, size) =>
        Math.max(-1, Math.min(1, 2 * (p - start) / size - 1));
      controls.sticks[side] = [at(event.clientX, box.left, box.width),
        at(event.clientY, box.top, box.height)];
      controls.moved = true;
    };
    pad.addEventListener('pointerdown', (event) => {
      pad.setPointerCapture(event.pointerId);
      set(event);
    });
    pad.addEventListener('pointermove', (event) => {
      if (pad.hasPointerCapture(event.pointerId)) set(event);
    });
    for (const end of ['pointerup', 'pointercancel']) {
      pad.addEventListener(end, () => {
        controls.sticks[side] = [0, 0];
        controls.moved = true;
      });
    }
    stage.append(pad);
  };
  stick('left');
  stick('right');
  const grip = document.createElement('button');
  grip.className = 'touch on grip';
  grip.textContent = 'grip';
  grip.addEventListener('click', () => controls.toggleGrip());
  stage.append(grip);
}
