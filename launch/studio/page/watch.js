// Watching players on a task, side by side, and any moment of their trials.

import { beliefTable } from './belief.js';
import { bars } from './charts.js';
import { askFile, button, choice, field, h, reducedMotion, rulesList, toast }
  from './dom.js';
import { drawFrame } from './map.js';
import { STEP, blend } from './motion.js';
import { toBase64 } from './share.js';
import { taskChoice } from './tasks.js';
import { Timeline, nextFiring } from './timeline.js';

const CAMERAS = [['above', 'from above'], ['follow', 'behind the player'],
  ['first', 'first person'], ['eyes', 'what the player sees']];

export function watch(app, given) {
  const { link, three } = app;
  const asked = { players: [], ...given,
    reveal: String(given.reveal) === 'true' };
  if (typeof asked.players === 'string') {
    asked.players = asked.players.split(',').filter((name) => name);
  }
  const place = h('div', {});
  const element = h('div', {}, form(), place);
  let show = null;

  function form() {
    const task = taskChoice(app, asked.task ?? 'test:0');
    const first = app.lists.agents[0];
    const chosen = asked.players.length ? asked.players
      : [...(first ? [first] : []), 'explorer', 'expert'];
    const names = [...app.lists.agents,
      ...app.lists.agents.map((name) => `prompted ${name}`),
      ...app.lists.players.filter((n) => !app.lists.agents.includes(n))];
    const boxes = names.map((name) => field(name.replace('agent:', ''),
      'checkbox', chosen.includes(name), { value: name, id: `p-${name}` }));
    boxes.forEach((box, i) => { box.field.dataset.name = names[i]; });
    const trials = field('trials', 'number', asked.trials ?? 0,
      { min: 0, max: 48, title: '0: as many as the task has' });
    const seed = field('seed', 'number', asked.seed ?? 0, { min: 0 });
    const reveal = field('tell me the hidden rules', 'checkbox',
      asked.reveal);
    const read = () => ({
      task: task.value, trials: Number(trials.field.value) || 0,
      seed: Number(seed.field.value) || 0, reveal: reveal.field.checked,
      players: boxes.filter((box) => box.field.checked)
        .map((box) => box.field.dataset.name),
    });
    const demos = app.store.demos;
    const kept = demos.length ? choice('', [['', 'a kept demonstration'],
      ...demos.map((d, i) => [i, `${d.name}, ${d.when}`])], '',
    (i) => i !== '' && begin({ ...read(), task: '', demo: demos[i].demo,
      players: withDemo(read().players) })) : null;
    return h('section', { class: 'panel' },
      h('div', { class: 'row' }, task.element, trials, seed, reveal,
        button('Watch', () => begin(read()), 'first'),
        button('Open a demonstration', () => open(read())), kept),
      h('div', { class: 'row small' }, h('span', { class: 'dim' }, 'players:'),
        boxes));
  }

  const withDemo = (players) => ['demo',
    ...players.filter((n) => app.lists.agents.some((a) => n.endsWith(a)))];

  async function open(read) {
    const bytes = await askFile('.npz');
    begin({ ...read, task: '', demo: toBase64(bytes),
      players: withDemo(read.players) });
  }

  function begin(request) {
    if (!request.players.length) { toast('Choose a player.'); return; }
    show?.close();
    app.remember('watch', { ...request, demo: undefined });
    const { demo = '', task = '', players, trials = 0, seed = 0,
      reveal = false } = request;
    show = new Show(app, place, given.step ?? 0);
    link.send('watch', { task, players, trials: Number(trials),
      seed: Number(seed), reveal, demo });
  }

  if (asked.players.length) begin(asked);
  return {
    element,
    close() { show?.close(); link.send('stop'); },
    three,
  };
}

// The lanes of one request, and the time that is shown.
class Show {
  constructor(app, place, step) {
    Object.assign(this, { app, place, position: Number(step) || 0, speed: 1,
      playing: true, camera: 'above', lanes: [], total: 2, closed: false });
    place.replaceChildren(h('p', { role: 'status' }, 'Getting ready ...'));
    this.stops = [
      app.link.on('progress', ({ text }) => {
        if (!this.told) place.replaceChildren(h('p', {}, `${text} ...`));
      }),
      app.link.on('error', ({ text, about }) => {
        if (about === 'watch') place.replaceChildren(h('p', { class: 'bad' }, text));
      }),
      app.link.on('lanes', (message) => this.begin(message)),
      app.link.on('frames', (message) => this.add(message)),
    ];
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
        h('span', {}, name.replace('agent:', '')), lane.score),
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
      this.grid, h('p', { class: 'small dim' }, 'Bars of colour: reward. White ' +
        'diamonds: a rule fired. Click or drag to any moment.'),
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
        (value) => { this.camera = value; }) : '', this.clock);
  }

  add({ first, frames, rewards, errors, total }) {
    this.total = total;
    frames.forEach((more, n) => {
      const lane = this.lanes[n];
      if (lane.frames.length === first) lane.frames.push(...more);
      lane.rewards = rewards[n];
      lane.error = errors[n];
    });
    this.dirty = true;
    const loaded = Math.max(...this.lanes.map((lane) => lane.frames.length));
    Object.assign(this.app.debug, { loaded, total,
      rewards: this.lanes.map((lane) => lane.rewards) });
  }

  toggle() {
    this.playing = !this.playing;
    if (this.playing && this.position >= this.total - 1) this.position = 0;
    this.button.textContent = this.playing ? 'Pause' : 'Play';
    const task = { ...this.app.params, step: Math.round(this.position) };
    this.app.remember('watch', task);
  }

  jump(position) {
    this.position = Math.max(0, Math.min(this.total - 1, position));
    this.dirty = true;
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
      this.position = Math.min(loaded,
        this.position + seconds / STEP * this.speed);
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
      if (!lane.world) {
        drawFrame(lane.canvas, this.ground, pose);
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
      this.screen.draw(lane.world, [stage.left - box.left,
        stage.top - box.top, stage.width, stage.height]);
    }
  }

  // Writes what is told in words and numbers of a moment.
  describe(i) {
    [this.shown, this.dirty] = [i, false];
    const { told } = this;
    const most = Math.max(.1, ...this.lanes.flatMap((lane) => lane.rewards));
    const trial = Math.min(told.trials - 1, Math.floor(i / told.steps));
    const fired = new Set();
    for (const lane of this.lanes) {
      const frame = lane.frames[Math.min(i, lane.frames.length - 1)];
      lane.score.textContent = lane.error ? '' :
        `${(lane.rewards[trial] ?? 0).toFixed(1)} s in trial ${trial + 1}`;
      const notes = [bars(lane.rewards, told.trials, most, trial)];
      if (lane.error) notes.push(h('p', { class: 'bad small' }, lane.error));
      if (frame?.belief) notes.push(beliefTable(frame, this.types, this.truth));
      if (frame?.value !== undefined) {
        notes.push(h('p', { class: 'small' },
          `expects ${frame.value.toFixed(2)} s of reward to come; the ring ` +
          'is what its memory looks for'));
      }
      lane.notes.replaceChildren(...notes);
      frame?.f.forEach((rule) => fired.add(rule));
    }
    this.rules.querySelectorAll('li').forEach((item, n) =>
      item.classList.toggle('fired', fired.has(n)));
    this.clock.textContent = `trial ${trial + 1}, ` +
      `${((i - trial * told.steps) * STEP).toFixed(1)} s`;
    this.timeline.draw(this.lanes.map((lane) => lane.frames), told, this.total,
      this.position);
  }

  close() {
    this.closed = true;
    this.stops.forEach((stop) => stop());
    this.screen?.close();
    this.place.replaceChildren();
  }
}
