// Measuring people on the tasks that agents are measured on.

import { lines } from './charts.js';
import { button, choice, download, field, h, toast } from './dom.js';
import { play } from './play.js';

export function people(app) {
  const { link, lists } = app;
  const element = h('div', {});
  let [game, result, faults] = [null, null, {}];

  function form() {
    const set = choice('tasks', [['test', 'held-out tasks'],
      ...lists.agents.map((agent) => [`fits ${agent}`, 'the ' +
        `${lists.fitting[agent].length} probes that ` +
        `${agent.replace('agent:', '')} can play too`]),
      ['probe', `all ${lists.probes.length} probes`],
      ...lists.families.map((name) => [name, `family ${name}`])], 'test');
    const count = field('how many', 'number', 4, { min: 1, max: 64 });
    const trials = field('trials per task', 'number', 4, { min: 1, max: 13 });
    const start = async () => {
      const number = Math.min(64, Math.max(1, Number(count.field.value) || 1));
      const kind = set.field.value;
      const agent = kind.startsWith('fits ') ? kind.slice(5) : '';
      const probes = agent ? lists.fitting[agent]
        : kind === 'probe' ? lists.probes : null;
      const tasks = probes
        ? probes.slice(0, number).map((name) => `probe:${name}`)
        : Array.from({ length: number }, (_, i) => `${kind}:${i}`);
      try {
        ({ faults } = await link.ask('study', { tasks,
          trials: Math.max(1, Number(trials.field.value) || 1) }, 'study'));
        next();
      } catch (error) { toast(error.message); }
    };
    element.replaceChildren(h('section', { class: 'panel' },
      h('h1', {}, 'How well do you adapt?'),
      h('p', {}, 'You play each task once. You are told what an agent is told: ' +
        'the goal, and the rules without their hidden parts. Your score is ' +
        'your reward divided by that of the expert, who knows everything.'),
      h('div', { class: 'row' }, set, count, trials,
        button('Begin', start, 'first'))));
  }

  // Shows the next task, or the result after the last.
  function next(done = false) {
    game?.close();
    game = null;
    if (done === true) { ask(''); return; }
    game = play(app, { study: next });
    element.replaceChildren(h('div', { class: 'row' },
      button('End here and see the result', () => {
        game?.close();
        game = null;
        ask('');
      })), game.element);
  }

  async function ask(agent) {
    const place = h('p', { role: 'status' }, 'Measuring ...');
    element.replaceChildren(place);
    const stop = link.on('progress', ({ text }) => { place.textContent = text; });
    try {
      ({ result } = await link.ask('result', { agent }, 'measured'));
      report();
    } catch (error) {
      toast(error.message);
      if (result) report(); else form();
    }
    stop();
  }

  function report() {
    const curves = [{ name: 'you', values: result.by_trial.mean,
      errors: result.by_trial.stderr }];
    if (result.beside) {
      curves.push({ name: result.beside.policy,
        values: result.beside.by_trial.mean,
        errors: result.beside.by_trial.stderr });
    }
    const beside = lists.agents.map((agent) => faults[agent]
      ? h('p', { class: 'dim' }, `${agent} can't be measured: ${faults[agent]}`)
      : button(`Measure ${agent} on these tasks`, () => ask(agent)));
    element.replaceChildren(h('section', { class: 'panel' },
      h('h1', {}, 'Your score by trial'),
      h('p', {}, `${result.num_scored} of ${result.num_tasks} tasks; 1 is the ` +
        "expert's score. Error bars: standard error over tasks."),
      lines(curves, { top: 1.2, width: 640, label: 'trial',
        title: 'score' }),
      h('div', { class: 'row' }, beside,
        button('Save as JSON', () => download('human.json',
          `${JSON.stringify(result, null, 1)}\n`, 'application/json')),
        button('Again', form))));
    app.debug.measured = result;
  }

  form();
  return { element, close() { game?.close(); } };
}
