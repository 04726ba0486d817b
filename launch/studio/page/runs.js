// Runs: their curves while they train, and their evaluations.

import { lines, short } from './charts.js';
import { button, choice, h, toast } from './dom.js';
import { chooseEpisode } from './recordings.js';

const SECONDS = 5;

export function runs(app, { name } = {}) {
  const { link, lists } = app;
  const place = h('div', { class: 'cards curves' });
  const state = h('p', { role: 'status' });
  const chosen = name ?? lists.runs[0];
  let shown = '';
  const stop = link.on('curves', draw);

  function draw(message) {
    // Keeps the elements if nothing changed, and so the focus of a button.
    const text = JSON.stringify(message);
    if (text === shown) return;
    shown = text;
    const { steps, curves, status, evaluations } = message;
    state.textContent = status
      ? `${status.state}: ${Object.entries(status.counters).map(([key, value]) =>
        `${short(value)} ${key.replace('_', ' ')}`).join(', ')}`
      : 'no status yet';
    const charts = Object.entries(curves).map(([key, values]) =>
      h('figure', { class: 'panel' }, lines([{ name: key, values }],
        { xs: steps, title: key, label: 'environment steps' })));
    const shots = Object.entries(evaluations).flatMap(([file, found]) => [
      Object.keys(found.curves).length ? h('figure', { class: 'panel' },
        lines(Object.entries(found.curves).map(([key, { mean, stderr }]) => ({
          name: key === 'by_trial' ? found.policy ?? file : key,
          values: mean, errors: stderr ?? [] })),
        { title: `${file}: score by trial`, label: 'trial' })) : '',
      found.episodes.length ? chooseEpisode(found.episodes, (number) =>
        watch(file, number)) : '']);
    place.replaceChildren(...shots, ...charts);
    if (!charts.length) place.append(h('p', {}, 'There are no metrics yet.'));
  }

  async function watch(file, number) {
    try {
      const found = await link.ask('recording', { name: chosen, file, number },
        'recording');
      app.go('watch', { ...found, task: '', players: ['demo', 'expert'] });
    } catch (error) { toast(error.message); }
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
