// The task editor: a map for objects and players, goals and rules, and a
// verdict on the task.

import { TYPES, completed } from './complete.js';
import { askFile, button, choice, download, field, h, toast } from './dom.js';
import { Draft } from './draft.js';
import { drawMap, view } from './map.js';
import { packTask } from './share.js';

const TOOLS = [['move', 'Move'], ['object', 'Add'], ['remove', 'Remove'],
  ['freeze', 'Freeze'], ['raise', 'Raise'], ['lower', 'Lower']];
const DELAY = 150;
const GRID = 0.25; // Metres; positions snap to multiples.

export function make(app, given) {
  const { link } = app;
  const element = h('div', { class: 'editor' });
  const canvas = h('canvas', { width: 640, height: 640, tabindex: '0',
    role: 'img', 'aria-label': 'map of the task; arrows move the selection' });
  const verdict = h('div', { class: 'panel', role: 'status' });
  const form = h('div', { class: 'panel' });
  const tools = h('div', { class: 'tools' });
  const json = h('textarea', { rows: 14, 'aria-label': 'the task as JSON',
    spellcheck: false });
  let draft = new Draft();
  let [scene, tool, kind, chosen, timer] = [null, 'move', TYPES[1], null, 0];

  function changed({ rebuild = false } = {}) {
    clearTimeout(timer);
    timer = setTimeout(check, DELAY);
    json.value = JSON.stringify(draft.json, null, 1);
    app.store.set('adaland.draft', draft.json);
    if (rebuild) describe();
  }

  // Checks the latest text; answers about older ones are ignored.
  async function check() {
    const { text } = draft;
    try {
      const found = await link.ask('check', { task: text }, 'checked');
      if (text !== draft.text) return;
      ({ scene } = found);
      app.debug.checked = { text, ...found };
      paint();
      judge(found);
    } catch (error) {
      if (text !== draft.text) return;
      app.debug.checked = { text, error: error.message };
      verdict.replaceChildren(h('h2', { class: 'bad' }, 'Not a task yet'),
        h('p', { class: 'bad' }, error.message));
    }
  }

  function judge({ solution, measures, agents }) {
    const able = Object.entries(agents).map(([name, fault]) => h('li', {},
      fault ? `${name} can't play it: ${fault}` : `${name} can play it`));
    const way = solution === null ? 'No plan reaches the goal.'
      : solution.length ? `Solvable: rule ${solution.join(', then rule ')}.`
        : 'Solvable without any rule.';
    verdict.replaceChildren(
      h('h2', { class: solution ? 'good' : 'bad' }, way),
      h('p', { class: 'small' }, `${measures.dead_end_rules} dead ends, ` +
        `${measures.dangerous_rules} dangerous rules, ` +
        `${measures.hidden_critical_rules} hidden rules that the goal needs.`),
      h('ul', { class: 'small dim' }, able),
      h('div', { class: 'row' },
        button('Play it', () => app.go('play', { task: draft.text }), 'first'),
        draft.task.players.length > 1 ? button('Play it with the expert', () =>
          app.go('play', { task: draft.text, partner: 'expert' })) : '',
        button('Let scripted players try it', () => app.go('watch', {
          task: draft.text, players: ['expert', 'explorer', 'forgetful'],
          reveal: true }))));
  }

  // Returns what is drawn: [type, or null for a player, x, y, draft's entry].
  function things() {
    return [
      ...scene.objects.map((o, i) => [o[0], o[1], o[2], draft.task.objects[i]]),
      ...scene.players.map((p, i) => [null, p[0], p[1], draft.task.players[i]]),
    ].filter((thing) => thing[3]);
  }

  function paint() {
    if (!scene) return;
    const marked = chosen;
    drawMap(canvas, scene, scene.objects.map((o, i) => [o[0], o[1], o[2],
      draft.task.objects[i] === marked]),
    scene.players.map(([x, y]) => [x, y, null]));
    const pen = canvas.getContext('2d');
    const { scale, to } = view(canvas, scene.heights);
    for (const [, x, y, thing] of things()) {
      const [px, py] = to(x, y);
      pen.strokeStyle = thing === marked ? '#ffd84a' : '#0000';
      pen.lineWidth = 3;
      pen.strokeRect(px - scale * .45, py - scale * .45, scale * .9, scale * .9);
      if (!thing.frozen) continue;
      pen.fillStyle = '#bfe6ff';
      pen.fillText('❄', px + scale * .3, py - scale * .3);
    }
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    const { from } = view(canvas, scene.heights);
    return from((event.clientX - box.left) * canvas.width / box.width,
      (event.clientY - box.top) * canvas.height / box.height);
  }

  const snap = ([x, y]) => [x, y].map((v) => Math.round(v / GRID) * GRID);

  function nearest([x, y]) {
    const found = things().map((t) => [Math.hypot(t[1] - x, t[2] - y), t[3]])
      .sort((a, b) => a[0] - b[0])[0];
    return found && found[0] < .6 ? found[1] : null;
  }

  canvas.addEventListener('pointerdown', (event) => {
    if (!scene) return;
    const at = place(event);
    chosen = nearest(at);
    if (tool === 'object') {
      chosen = { type: kind, at: snap(at), frozen: false };
      draft.task.objects.push(chosen);
    } else if (tool === 'remove') {
      draft.task.objects = draft.task.objects.filter((o) => o !== chosen);
      chosen = null;
    } else if (tool === 'freeze' && chosen?.type) {
      chosen.frozen = !chosen.frozen;
    } else if (tool === 'raise' || tool === 'lower') {
      const [nx, ny] = [scene.heights.length, scene.heights[0].length];
      const [i, j] = [Math.floor(at[0] + nx / 2), Math.floor(at[1] + ny / 2)];
      chosen = null;
      if (i < 0 || j < 0 || i >= nx || j >= ny) return;
      draft.raise(scene, i, j, tool === 'raise' ? 1 : -1);
    } else {
      if (chosen) canvas.setPointerCapture(event.pointerId);
      paint();
      return;
    }
    changed();
  });
  canvas.addEventListener('pointermove', (event) => {
    if (tool !== 'move' || !chosen || !canvas.hasPointerCapture(event.pointerId)) {
      return;
    }
    chosen.at = snap(place(event));
    changed();
  });
  canvas.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1],
      ArrowDown: [0, -1] }[event.key];
    if (!scene) return;
    const all = things().map((t) => t[3]);
    if (event.key === 'n') {
      chosen = all[(all.indexOf(chosen) + 1) % all.length] ?? null;
    } else if (event.key === 'Delete' && chosen?.type) {
      draft.task.objects = draft.task.objects.filter((o) => o !== chosen);
      changed();
    } else if (by && chosen) {
      const [, x, y] = things().find((t) => t[3] === chosen);
      chosen.at = snap([x + by[0] * GRID, y + by[1] * GRID]);
      changed();
    } else return;
    event.preventDefault();
    paint();
  });

  function showTools() {
    tools.replaceChildren(...TOOLS.map(([name, text]) => {
      const pressed = button(text, () => { tool = name; showTools(); });
      pressed.setAttribute('aria-pressed', String(tool === name));
      return pressed;
    }), choice('', TYPES, kind, (value) => {
      kind = value;
      tool = 'object';
      showTools();
    }), button('Add one anywhere', () => {
      draft.task.objects.push({ type: kind, at: null, frozen: false });
      changed();
    }));
  }

  function number(text, value, least, most, set, step = 1, on = 'oninput') {
    return field(text, 'number', value, { min: least, max: most, step,
      [on]: (event) => {
        const given = Number(event.target.value);
        if (event.target.value !== '') { set(given); changed(); }
      } });
  }

  function describe() {
    const { task } = draft;
    const { world } = task;
    const [x, y] = draft.size;
    const name = field('name', 'text', task.name ?? '', { maxlength: 80,
      oninput: (event) => { task.name = event.target.value; changed(); } });
    form.replaceChildren(h('div', {},
      h('div', { class: 'row' }, name,
        choice('players', ['1', '2'], String(task.players.length), (n) => {
          draft.setPlayers(Number(n));
          changed({ rebuild: true });
        })),
      h('div', { class: 'row' },
        // The first digit of a size must not cut off tiles.
        number('tiles', x, 2, 20, (v) => draft.resize(v, draft.size[1]), 1,
          'onchange'),
        number('by', y, 2, 20, (v) => draft.resize(draft.size[0], v), 1,
          'onchange'),
        number('levels', world.levels ?? 1, 1, 4, (v) => {
          const { seed = 0, walls = 0, diagonals = 0 } = task.world;
          task.world = { seed, tiles: draft.size, levels: v, walls, diagonals };
        }),
        number('walls', world.walls ?? 0, 0, 8,
          (v) => { task.world.walls = v; }),
        number('diagonal cliffs', world.diagonals ?? 0, 0, 8,
          (v) => { task.world.diagonals = v; }),
        number('seed', world.seed ?? 0, 0, 2 ** 31 - 1,
          (v) => { task.world.seed = v; })),
      h('div', { class: 'row' },
        number('trials', task.trials ?? 3, 1, 48, (v) => { task.trials = v; }),
        number('seconds per trial', task.trial_seconds ?? 20, 2, 40,
          (v) => { task.trial_seconds = v; }, 'any')),
      h('h2', {}, 'Goals'),
      task.players.map((player, i) => h('div', { class: 'row' },
        h('span', { class: 'dim' }, `player${i + 1}`),
        completed(player.goal, false, `goal of player ${i + 1}`, (text) => {
          player.goal = text;
          changed();
        }))),
      h('h2', {}, 'Rules'), task.rules.map(rule),
      h('div', { class: 'row' }, button('Add a rule', () => {
        task.rules.push('near(player1, black cube) -> yellow sphere');
        changed({ rebuild: true });
      })),
      hideRow('objects', TYPES), hideRow('predicates',
        ['touching', 'near', 'hold', 'see'])));
  }

  function rule(text, i) {
    return h('div', { class: 'row' },
      completed(text, true, `rule ${i + 1}`, (value) => {
        draft.task.rules[i] = value;
        changed();
      }),
      field('hidden', 'checkbox', draft.hide.rules.includes(i + 1), {
        onchange: (event) => {
          draft.setHidden('rules', i + 1, event.target.checked);
          changed();
        } }),
      button('Remove', () => {
        draft.removeRule(i);
        changed({ rebuild: true });
      }));
  }

  function hideRow(name, words) {
    const now = draft.hide[name];
    return h('details', {}, h('summary', { class: 'dim' },
      `hidden ${name}: ${now.join(', ') || 'none'}`),
    h('div', { class: 'row small' }, words.map((word) => field(word,
      'checkbox', now.includes(word), { onchange: (event) => {
        draft.setHidden(name, word, event.target.checked);
        changed({ rebuild: true });
      } }))));
  }

  function set(task) {
    draft = new Draft(task);
    chosen = null;
    describe();
    changed();
  }

  async function open() {
    const bytes = await askFile('.json');
    try {
      const task = JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)));
      set((await link.ask('load', { task }, 'task')).task);
    } catch (error) { toast(`This is not a task file: ${error.message}`); }
  }

  async function share() {
    const address = `${location.origin}/#/task?${await packTask(draft.json)}`;
    app.debug.link = address;
    try {
      await navigator.clipboard.writeText(address);
      toast('The link is on the clipboard; it holds the whole task.', 'info');
    } catch { toast(address, 'info'); }
  }

  async function follow() {
    const address = prompt('Paste a link that holds a task');
    const packed = address?.split('#/task?')[1];
    if (!packed) return;
    history.replaceState(null, '', `#/task?${packed}`);
    dispatchEvent(new HashChangeEvent('hashchange'));
  }

  json.addEventListener('change', () => {
    try { set(JSON.parse(json.value)); }
    catch (error) { toast(`JSON: ${error.message}`); }
  });

  async function begin() {
    const text = given.task;
    try {
      if (!text) set(app.store.get('adaland.draft', undefined));
      else if (text.startsWith('{')) set(JSON.parse(text));
      else set((await link.ask('load', { task: text }, 'task')).task);
    } catch (error) {
      toast(error.message);
      set();
    }
  }

  showTools();
  element.append(
    h('section', {}, h('div', { class: 'panel' }, tools, canvas,
      h('p', { class: 'small' }, 'Keys on the map: n selects the next object ' +
        'or player, arrows move it, Delete removes an object.')), verdict),
    h('section', {}, h('div', { class: 'row' },
      button('New', () => set()), button('Open', open),
      button('Save', () => download(
        `${(draft.task.name || 'task').replace(/\W+/g, '-')}.json`,
        `${JSON.stringify(draft.json, null, 1)}\n`, 'application/json')),
      button('Copy link', share), button('Open a link', follow)),
    form, h('details', { class: 'panel' }, h('summary', {}, 'JSON'), json)));
  begin();
  app.debug.draft = () => draft.json;
  return { element, close() { clearTimeout(timer); } };
}
