// Choosing what to watch: players on a task, live or recorded.

import { askFile, button, choice, field, h, toast } from './dom.js';
import { chooseEpisode, readRecording } from './recordings.js';
import { Show } from './show.js';
import { taskChoice } from './tasks.js';

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
        button('Open a recording', () => open(read())), kept),
      h('div', { class: 'row small' }, h('span', { class: 'dim' }, 'players:'),
        boxes));
  }

  const withDemo = (players) => ['demo',
    ...players.filter((n) => app.lists.agents.some((a) => n.endsWith(a)))];

  async function open(read) {
    const again = (recording) => begin({ ...read, ...recording, task: '',
      players: recording.agent === undefined ? withDemo(read.players)
        : ['demo', ...read.players.filter((n) => !n.startsWith('prompted'))] });
    try {
      const found = readRecording(await askFile('.npz,.json'));
      if (found.demo) again(found);
      else {
        show?.close();
        place.replaceChildren(chooseEpisode(found.episodes, (number) =>
          again({ ...found.episodes[number], agent: found.agent })));
      }
    } catch (error) { toast(error.message); }
  }

  function begin(request, start = 0) {
    if (!request.players.length) { toast('Choose a player.'); return; }
    show?.close();
    const { demo = '', task = '', players, trials = 0, seed = 0,
      reveal = false, episode = 0, agent = '', policy } = request;
    app.remember('watch', { task, players, trials, seed, reveal });
    show = new Show(app, place, start,
      policy ? `${policy}, recorded` : 'demonstration');
    if (!link.ready) { show.lose(); return; }
    link.send('watch', { task, players, trials: Number(trials),
      seed: Number(seed), reveal, demo, episode, agent });
  }

  // A recording is too long for an address.
  if (!asked.demo) asked.players = asked.players.filter((n) => n !== 'demo');
  if (asked.players.length && (asked.task || asked.demo)) {
    begin(asked, Number(given.step) || 0);
  }
  return {
    element,
    close() { show?.close(); link.send('stop'); },
    three,
  };
}

