// The players being watched: lanes side by side, at any moment of their trials.

import { dots, inWords } from './attention.js';
import { beliefTable } from './belief.js';
import { bars } from './charts.js';
import { button, choice, h, reducedMotion, rulesList } from './dom.js';
import { drawFrame } from './map.js';
import { STEP, blend } from './motion.js';
import { Timeline, nextFiring } from './timeline.js';

const CAMERAS = [['above', 'from above'], ['follow', 'behind the player'],
  ['first', 'first person'], ['eyes', 'what the player sees']];

// The lanes of one request, and the time that is shown.
export class Show {
  // `start` is the first step to be shown; `label` names the player of the
  // demonstration, if there is one.
  constructor(app, place, start, label) {
    Object.assign(this, { app, place, start, position: 0, speed: 1,
      playing: true, camera: 'above', lanes: [], total: 2, closed: false,
      label, layer: '' });
    place.replaceChildren(h('p', { role: 'status' }, 'Getting ready ...'));
    this.stops = [
      app.link.on('progress', ({ text }) => {
        if (!this.told) place.replaceChildren(h('p', {}, `${text} ...`));
      }),
      app.link.on('error', ({ text, about }) => {
        if (about === 'watch') place.replaceChildren(h('p', { class: 'bad' }, text));
      }),
      app.link.on('closed', () => this.lose()),
      app.link.on('lanes', (message) => this.begin(message)),
      app.link.on('frames', (message) => this.add(message)),
    ];
  }

  // A new connection sends neither the lanes nor the rest of their frames.
  lose() {
    if (!this.told) {
      this.place.replaceChildren(h('p', { class: 'bad' },
        'The connection was lost. Choose “Watch” to start again.'));
    } else if (!this.isCut && this.lanes.some((lane) =>
      !lane.error && lane.frames.length < this.total)) {
      this.isCut = true;
      this.timeline.canvas.before(h('p', { class: 'bad', role: 'status' },
        'The connection was lost; the rest is missing. ' +
        'Choose “Watch” to start again.'));
    }
  }

  begin({ told, ground, players, types, truth }) {
    Object.assign(this, { told, ground, types, truth });
    const { three } = this.app;
    this.timeline = new Timeline((position) => this.jump(position));
    this.lanes = players.map((name) => {
      const canvas = three ? null : h('canvas', { width: 400, height: 300 });
      const lane = { name, frames: [], rewards: [0], canvas,
        stage: h('div', { class: 'stage' }, canvas ?? ''),
        notes: h('div', {}), score: h('span', { class: 'dim small' }),
        world: three ? new three.World() : null };
      lane.world?.setGround(ground);
      lane.element = h('section', { class: 'lane panel' }, h('h2', {},
        h('span', {}, name === 'demo' ? this.label : name.replace('agent:', '')),
        lane.score),
      lane.stage, lane.notes);
      return lane;
    });
    const grid = h('div', { class: 'lanes' }, this.lanes.map((l) => l.element));
    const columns = Math.min(this.lanes.length, this.lanes.length > 4 ? 3 : 4);
    grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    this.grid = h('div', { class: 'grid3d' }, grid);
    if (three) {
      this.canvas = h('canvas');
      this.grid.append(this.canvas);
      this.screen = new three.Screen(this.canvas);
    }
    this.rules = h('div', {}, rulesList(told));
    this.place.replaceChildren(
      h('div', { class: 'row' }, h('h1', {}, told.name || 'A task'),
        h('span', {}, 'goal: ', h('b', {}, told.goal)), this.controls()),
      this.grid, h('p', { class: 'small dim' }, 'Coloured bars: reward. ' +
        'White diamonds: a rule fired. Click or drag to show any moment.'),
      this.timeline.canvas, this.rules);
    this.place.onkeydown = (event) => this.key(event);
    this.shown = -1;
    requestAnimationFrame((now) => this.paint(now));
  }

  controls() {
    this.button = button('Pause', () => this.toggle());
    this.clock = h('span', { class: 'dim' });
    return h('span', { class: 'row' }, this.button,
      button('◀ rule', () => this.fire(-1)), button('rule ▶', () => this.fire(1)),
      button('◀ trial', () => this.trial(-1)),
      button('trial ▶', () => this.trial(1)),
      choice('speed', [[.5, '½'], [1, '1'], [2, '2'], [4, '4'], [8, '8']], 1,
        (value) => { this.speed = Number(value); }),
      this.app.three ? choice('view', CAMERAS, 'above',
        (value) => { this.camera = value; }) : '',
      this.layers = choice('memory', [['', 'all layers'], ['none', 'hidden']],
        '', (value) => { this.layer = value; this.dirty = true; }),
      this.clock);
  }

  // Offers the layers of the memories that report their attention.
  offerLayers() {
    const most = Math.max(...this.lanes.map((lane) =>
      lane.frames[0]?.past?.length ?? 0));
    this.layers.style.display = most ? '' : 'none';
    const select = this.layers.field;
    for (let n = select.options.length - 2; n < most; n++) {
      select.append(h('option', { value: String(n) }, `layer ${n + 1}`));
    }
  }

  add({ first, frames, rewards, errors, notes, total }) {
    this.total = total;
    frames.forEach((more, n) => {
      const lane = this.lanes[n];
      if (lane.frames.length === first) lane.frames.push(...more);
      lane.rewards = rewards[n];
      [lane.error, lane.note] = [errors[n], notes[n]];
    });
    this.offerLayers();
    this.dirty = true;
    const loaded = Math.max(...this.lanes.map((lane) => lane.frames.length));
    Object.assign(this.app.debug, { loaded, total,
      rewards: this.lanes.map((lane) => lane.rewards) });
  }

  toggle() {
    this.playing = !this.playing;
    this.start = 0;
    if (this.playing && this.position >= this.total - 1) this.position = 0;
    this.button.textContent = this.playing ? 'Pause' : 'Play';
    const task = { ...this.app.params, step: Math.round(this.position) };
    this.app.remember('watch', task);
  }

  jump(position) {
    this.position = Math.max(0, Math.min(this.total - 1, position));
    [this.start, this.dirty] = [0, true];
  }

  fire(direction) {
    if (this.playing) this.toggle();
    this.jump(nextFiring(this.lanes.map((l) => l.frames), this.position,
      direction));
  }

  trial(direction) {
    const { steps } = this.told;
    const now = Math.floor(this.position / steps + 1e-6);
    this.jump((now + direction) * steps);
  }

  key(event) {
    if (event.target.matches('select, input')) return;
    const step = { ArrowRight: 1, ArrowLeft: -1, PageDown: this.told.steps,
      PageUp: -this.told.steps }[event.key];
    if (step) this.jump(Math.round(this.position) + step);
    else if (event.key === 'Home') this.jump(0);
    else if (event.key === 'End') this.jump(this.total - 1);
    else if (event.key === ' ' && event.target.tagName !== 'BUTTON') {
      this.toggle();
    } else return;
    event.preventDefault();
  }

  paint(now) {
    if (this.closed) return;
    requestAnimationFrame((next) => this.paint(next));
    const seconds = Math.min(.1, (now - (this.last ?? now)) / 1000);
    if (this.last) this.screen?.pace(now - this.last);
    this.last = now;
    const loaded = Math.max(0,
      Math.max(...this.lanes.map((lane) => lane.frames.length)) - 1);
    if (this.playing && !this.timeline.canvas.matches(':active')) {
      const next = this.position + seconds / STEP * this.speed;
      this.position = Math.min(loaded, Math.max(this.start, next));
      if (this.start <= loaded) this.start = 0;
      if (this.position >= this.total - 1) this.toggle();
    }
    this.position = Math.min(this.position, loaded);
    this.app.debug.position = this.position;
    const i = Math.floor(this.position + 1e-6);
    this.draw(i, reducedMotion() ? 0 : this.position - i);
    if (i !== this.shown || this.dirty) this.describe(i);
  }

  draw(i, share) {
    const box = this.grid.getBoundingClientRect();
    this.screen?.resize(Math.round(box.width), Math.round(box.height));
    for (const lane of this.lanes) {
      const last = lane.frames.length - 1;
      if (last < 0) continue;
      const frame = lane.frames[Math.min(i, last)];
      const next = lane.frames[Math.min(i + 1, last)];
      const pose = next.k === frame.k ? blend(frame, next, share) : frame;
      const attended = this.attended(lane, Math.min(i, last));
      if (!lane.world) {
        drawFrame(lane.canvas, this.ground, pose, attended);
        continue;
      }
      const inside = this.camera === 'first' || this.camera === 'eyes';
      lane.world.setPose(pose, { me: inside ? 0 : -1,
        only: this.camera === 'eyes' ? frame.v : null });
      const stage = lane.stage.getBoundingClientRect();
      const aspect = stage.width / stage.height;
      if (inside) lane.world.eyes(pose.p[0], aspect);
      else if (this.camera === 'follow') lane.world.follow(pose.p[0], aspect);
      else lane.world.above(aspect);
      lane.world.attend(pose, frame.gaze);
      lane.world.remember(inside ? [] : attended);
      this.screen.draw(lane.world, [stage.left - box.left,
        stage.top - box.top, stage.width, stage.height]);
    }
  }

  // Returns the dots of the steps that a lane's memory attends to at step i.
  attended(lane, i) {
    if (!lane.frames[i]?.past || this.layer === 'none') return [];
    return dots(lane.frames, i, this.layer);
  }

  // Writes the words and numbers about step i.
  describe(i) {
    [this.shown, this.dirty] = [i, false];
    const { told } = this;
    const most = Math.max(.1, ...this.lanes.flatMap((lane) => lane.rewards));
    const trial = Math.min(told.trials - 1, Math.floor(i / told.steps));
    const [fired, marks] = [new Set(), []];
    for (const lane of this.lanes) {
      const frame = lane.frames[Math.min(i, lane.frames.length - 1)];
      lane.score.textContent = lane.error ? '' :
        `${(lane.rewards[trial] ?? 0).toFixed(1)} s in trial ${trial + 1}`;
      const notes = [bars(lane.rewards, told.trials, most, trial)];
      if (lane.error) notes.push(h('p', { class: 'bad small' }, lane.error));
      if (lane.note) notes.push(h('p', { class: 'small' }, lane.note));
      if (frame?.belief) notes.push(beliefTable(frame, this.types, this.truth));
      const telling = [];
      if (frame?.value !== undefined) {
        telling.push(`expects ${frame.value.toFixed(2)} s of reward to come`);
      }
      if (frame?.gaze) {
        telling.push('the ring marks what its memory attends to most');
      }
      if (telling.length) {
        notes.push(h('p', { class: 'small' }, telling.join('; ')));
      }
      const found = frame ? this.attended(lane, lane.frames.indexOf(frame)) : [];
      marks.push(found);
      if (found.length) {
        notes.push(h('p', { class: 'small attention' }, 'its memory attends to ' +
          `${inWords(lane.frames, found)} (dots: blue in this trial, orange ` +
          'in earlier ones)'));
      }
      lane.notes.replaceChildren(...notes);
      frame?.f.forEach((rule) => fired.add(rule));
    }
    this.app.debug.attended = marks.map((found) => found.length);
    this.rules.querySelectorAll('li').forEach((item, n) =>
      item.classList.toggle('fired', fired.has(n)));
    this.clock.textContent = `trial ${trial + 1}, ` +
      `${((i - trial * told.steps) * STEP).toFixed(1)} s`;
    this.timeline.draw(this.lanes.map((lane) => lane.frames), told, this.total,
      this.position, marks);
  }

  close() {
    this.closed = true;
    this.stops.forEach((stop) => stop());
    this.screen?.close();
    this.place.replaceChildren();
  }
}
