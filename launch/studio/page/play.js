// Playing a task in first person.

import { button, download, h, rulesList, toast } from './dom.js';
import { Controls, addTouch } from './keys.js';
import { Motion, STEP } from './motion.js';
import { fromBase64 } from './share.js';
import { Stats } from './stats.js';

const KEYS = [
  ['W A S D', 'walk'], ['mouse, Q E', 'turn'], ['mouse, R F', 'look up, down'],
  ['Space, click', 'grip: hold and let go'],
  ['C X, wheel', 'hand farther, nearer'], ['Esc, P', 'pause'],
];

// Returns a view: begins a game and shows it until it is closed.
export function play(app, { task, seed = 0, partner = 'person', join, study }) {
  const { link, three } = app;
  const stage = h('div', { class: 'stage', tabindex: '0', role: 'application',
    'aria-label': 'the game: press Enter to start, P to pause' });
  const picture = h(three ? 'canvas' : 'img', three ? {} : { alt: 'your view' });
  const hud = h('div', { class: 'hud' });
  const flash = h('div', { class: 'flash' });
  const banner = h('div', { class: 'banner' });
  const side = h('div', { class: 'side' });
  stage.append(picture, h('div', { class: 'cross' }), flash, hud, banner);
  const motion = new Motion();
  const stats = new Stats();
  const screen = three ? new three.Screen(picture) : null;
  const world = three ? new three.World() : null;
  let [told, frame, going, last, closed] = [null, null, false, 0, false];
  let [sent, paused, ended, waiting] = [0, 0, false, false];

  const controls = new Controls(stage, () => tell());
  addTouch(stage, controls);

  function tell() {
    if (!going) return;
    sent += 1;
    stats.asked(sent, controls.pressed, controls.isLook);
    controls.pressed = 0;
    link.send('act', { ...controls.wish(), number: sent });
  }

  function begin() {
    if (!link.ready) { lose(); return; }
    const pictures = !three;
    if (study) link.send('next', { pictures });
    else if (join) link.send('join', { pictures });
    else link.send('play', { task, seed, partner, pictures });
    ended = false;
    paused = 0;
    say(h('p', {}, 'Getting ready ...'));
  }

  function say(...content) {
    banner.hidden = false;
    banner.replaceChildren(h('div', { class: 'panel' }, content));
  }

  // A new connection does not know the game.
  function lose() {
    [going, ended] = [false, true];
    if (document.pointerLockElement) document.exitPointerLock();
    refuse('The connection was lost', study
      ? 'The measurements so far are lost too.' : 'The game is lost too.');
  }

  function refuse(title, text) {
    say(h('h1', {}, title), h('p', {}, text),
      button('Back to the gallery', () => app.go('gallery')));
  }

  function go() {
    if (!told || waiting || going || ended) return;
    link.send('go');
    goOn();
  }

  // Lets time pass, as this player or the other one has requested.
  function goOn() {
    going = true;
    banner.hidden = true;
    stage.focus();
    tell();
  }

  function pause() {
    if (!going) return;
    link.send('pause');
    if (document.pointerLockElement) document.exitPointerLock();
  }

  function explain(title) {
    const start = button('Start (Enter)', go, 'first');
    say(h('h1', {}, title), h('p', {}, 'Goal: ', h('b', {}, told.goal)),
      rulesList(told),
      h('p', {}, `${told.trials} trials of ${told.seconds.toFixed(1)} s. All ` +
        'trials start the same and hide the same parts.'),
      h('div', { class: 'row' }, start));
  }

  function describe() {
    side.replaceChildren(
      h('section', { class: 'panel' }, h('h2', {}, told.name || 'A task'),
        h('p', {}, 'Goal: ', h('b', {}, told.goal)), h('h2', {}, 'Rules'),
        rulesList(told)),
      h('section', { class: 'panel' }, h('h2', {}, 'Keys'),
        h('table', { class: 'small' }, KEYS.map(([keys, text]) => h('tr', {},
          h('td', {}, h('kbd', {}, keys)), h('td', {}, text))))),
      h('section', { class: 'panel small dim', id: 'numbers' }));
  }

  function over({ rewards, pauses, late }) {
    going = false;
    ended = true;
    if (document.pointerLockElement) document.exitPointerLock();
    stats.late = late;
    app.debug.stats = stats.summary();
    app.debug.over = rewards;
    console.info('studio: played', JSON.stringify(app.debug.stats));
    const rows = rewards.map((reward, i) => h('tr', {},
      h('td', {}, `trial ${i + 1}`), h('td', {}, `${reward.toFixed(2)} s`)));
    const table = h('table', { class: 'data' }, rows);
    if (study) {
      say(h('h1', {}, 'Done'), table, h('div', { class: 'row' },
        button('Next task', study, 'first')));
      return;
    }
    const choices = [button('Play again', begin, 'first')];
    if (told.players === 1) {
      choices.push(button('Save', save), button('Replay', () => show(['demo'])));
      for (const agent of app.lists.agents) {
        const name = agent.replace('agent:', '');
        choices.push(button(`Prompt ${name} with this episode`,
          () => show([`prompted ${agent}`, agent, 'demo'])));
      }
    }
    say(h('h1', {}, 'Done'), table,
      h('p', {}, pauses ? `Pauses: ${pauses}` : ''),
      h('div', { class: 'row' }, choices));
    banner.querySelector('button').focus();
  }

  async function keep() {
    const kept = await link.ask('keep', {}, 'kept');
    app.store.addDemo(kept.name, kept.demo, kept.rewards);
    return kept;
  }

  async function save() {
    try {
      const kept = await keep();
      download(`${kept.name.replace(/\W+/g, '-')}.npz`,
        fromBase64(kept.demo), 'application/octet-stream');
    } catch (error) { toast(error.message); }
  }

  async function show(players) {
    try {
      const kept = await keep();
      app.go('watch', { demo: kept.demo, players });
    } catch (error) { toast(error.message); }
  }

  function status() {
    const trial = Math.min(frame.k, told.trials - 1);
    const left = told.seconds - (frame.t % told.steps) * STEP;
    const total = frame.sums.reduce((a, b) => a + b, 0);
    const bar = h('i');
    bar.style.width = `${100 * left / told.seconds}%`;
    hud.replaceChildren(
      h('div', {}, `trial ${trial + 1} of ${told.trials}`,
        h('div', { class: 'bar' }, bar)),
      h('div', {}, h('b', {}, told.goal)),
      h('div', {}, `reward ${frame.sums[trial].toFixed(2)} s, total ` +
        `${total.toFixed(2)} s`, h('div', { class: 'small' },
        controls.grip ? 'grip closed' : 'grip open')));
    flash.classList.toggle('on', frame.r > 0);
    const numbers = document.getElementById('numbers');
    if (numbers && frame.t % 8 === 0) numbers.textContent = stats.text();
  }

  function paint(now) {
    if (closed) return;
    requestAnimationFrame(paint);
    const seconds = Math.min(.1, (now - last) / 1000);
    if (last) screen?.pace(now - last);
    last = now;
    if (!frame) return;
    const me = told.me;
    controls.tick(going ? seconds : 0, frame.p[me][3]);
    const pose = motion.at(now);
    app.debug.pose = pose;
    if (three) {
      const box = stage.getBoundingClientRect();
      screen.resize(Math.round(box.width), Math.round(box.height));
      const own = [...pose.p[me]];
      [own[3], own[4]] = [controls.aim.yaw, controls.aim.pitch];
      world.setPose(pose, { me });
      world.eyes(own, box.width / box.height);
      screen.draw(world, [0, 0, screen.width, screen.height]);
    }
    stats.painted(performance.now());
  }

  const stops = [
    link.on('progress', ({ text }) => say(h('p', {}, `${text} ...`))),
    link.on('error', ({ text, about }) => {
      if (['play', 'next', 'join', undefined].includes(about)) {
        refuse("This can't be played", text);
      }
    }),
    // A game that is over stays on the screen.
    link.on('closed', () => { if (!ended) lose(); }),
    link.on('world', (message) => {
      ({ told, waiting } = message);
      [frame, going] = [null, false];
      motion.to = null;
      controls.grip = 0;
      world?.setGround(message.ground);
      stats.begin(told.steps);
      describe();
      app.debug.told = told;
      if (waiting) {
        say(h('h1', {}, 'Waiting for the second player'), h('p', {},
          'Open this address in another tab and choose “Join a game that ' +
          'waits”.'),
        h('code', {}, app.address()));
      } else explain(told.name || 'A task');
    }),
    link.on('ready', () => {
      waiting = false;
      explain(told.name || 'A task');
    }),
    link.on('going', () => { if (!going && !ended) goOn(); }),
    link.on('paused', () => {
      going = false;
      paused += 1;
      say(h('h1', {}, 'Paused'), rulesList(told), h('div', { class: 'row' },
        button('Resume (Enter)', go, 'first'),
        button('End the game', finish)));
    }),
    link.on('frame', (message) => {
      const now = performance.now();
      const cut = !frame || frame.k !== message.k;
      frame = message;
      motion.push(frame, now);
      stats.arrived(frame, now);
      if (frame.picture) picture.src = `data:image/jpeg;base64,${frame.picture}`;
      if (cut) controls.face(frame.p[told.me][3], frame.p[told.me][4]);
      if (cut) tell();
      status();
    }),
    link.on('over', over),
    link.on('studied', () => study?.(true)),
  ];

  function finish() {
    if (ended || !told) return;
    link.send('stop');
    const rewards = frame?.sums.slice(0, frame.k) ?? [];
    over({ rewards, pauses: paused, late: 0 });
  }

  const signal = new AbortController();
  const options = { signal: signal.signal };
  document.addEventListener('visibilitychange',
    () => { if (document.hidden) pause(); }, options);
  document.addEventListener('pointerlockchange', () => {
    if (!document.pointerLockElement && going && controls.locked) pause();
    controls.locked = Boolean(document.pointerLockElement);
  }, options);
  stage.addEventListener('keydown', (event) => {
    if (event.target.tagName === 'BUTTON') return;
    if (event.code === 'Enter') go();
    if (event.code === 'KeyP' || event.code === 'Escape') pause();
  }, options);

  const element = h('div', { class: 'play' }, stage, side);
  requestAnimationFrame(paint);
  begin();
  setTimeout(() => stage.focus());
  return {
    element,
    close() {
      closed = true;
      stops.forEach((stop) => stop());
      signal.abort();
      controls.close();
      screen?.close();
      link.send('stop');
    },
  };
}
