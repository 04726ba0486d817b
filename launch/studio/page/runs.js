// Runs: their curves while they train, and their evaluations.

import { lines, short } from './charts.js';
import { button, choice, h } from './dom.js';

const SECONDS = 5;

export function runs(app, { name } = {}) {
  const { link, lists } = app;
  const place = h('div', { class: 'cards' });
  const state = h('p', { role: 'status' });
  const chosen = name ?? lists.runs[0];
  const stop = link.on('curves', draw);

  function draw({ steps, curves, status, evaluations }) {
    state.textContent = status
      ? `${status.state}: ${Object.entries(status.counters).map(([key, value]) =>
        `${short(value)} ${key.replace('_', ' ')}`).join(', ')}`
      : 'no status yet';
    const charts = Object.entries(curves).map(([key, values]) =>
      h('figure', { class: 'panel' }, lines([{ name: key, values }],
        { xs: steps, title: key, label: 'environment steps' })));
    const shots = Object.entries(evaluations).map(([file, found]) =>
      h('figure', { class: 'panel' }, lines([{ name: found.policy ?? file,
        values: found.by_trial.mean ?? [],
        errors: found.by_trial.stderr ?? [] }],
      { title: `${file}: score by trial`, label: 'trial' })));
    place.replaceChildren(...shots, ...charts);
    if (!charts.length) place.append(h('p', {}, 'No metrics were written yet.'));
  }

  const ask = () => { if (chosen) link.send('run', { name: chosen }); };
  ask();
  const timer = setInterval(ask, SECONDS * 1000);
  const agents = h('ul', {}, lists.agents.map((agent) => h('li', {}, agent, ' ',
    button('Watch it adapt', () => app.go('watch', { task: 'test:0',
      players: [agent, 'explorer', 'expert'] })))));
  return {
    element: h('div', {}, h('h1', {}, 'Runs and agents'),
      h('div', { class: 'row' }, chosen
        ? choice('run', lists.runs, chosen,
          (value) => app.go('runs', { name: value }))
        : h('p', {}, 'Start the studio with --workdir=RUN to see its curves.')),
      state, place, h('h2', {}, 'Agents'), agents),
    close() { clearInterval(timer); stop(); },
  };
}
