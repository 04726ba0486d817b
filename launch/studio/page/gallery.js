// The gallery: tasks with a map, their rules as players see them, and buttons.

import { button, choice, h, rulesList, toast } from './dom.js';
import { drawStart } from './map.js';

const COUNT = 24;

const short = (agent) => agent.replace('agent:', '');

// Returns the probes' names; those that the first agent can play come first.
function probeNames({ probes, agents, fitting }) {
  const fits = new Set(fitting[agents[0]]);
  return [...probes].sort((a, b) => fits.has(b) - fits.has(a))
    .map((name) => `probe:${name}`);
}

// Returns a sentence on how many of the probes each agent can play.
function whatFits({ probes, agents, fitting }) {
  return agents.map((agent) => h('p', {}, h('b', {}, short(agent)),
    ` can play ${fitting[agent].length} of the ${probes.length} probes` +
    (fitting[agent].length < probes.length ? '; the others exceed its limits ' +
      'on objects, rules or players, as their cards say.'
      : '.')));
}

export function gallery(app, { kind = 'probe' } = {}) {
  const { link, lists } = app;
  const names = kind === 'probe' ? probeNames(lists)
    : Array.from({ length: COUNT }, (_, i) => `${kind}:${i}`);
  let [queue, busy, closed] = [[], false, false];

  const cards = names.map((name) => {
    const canvas = h('canvas', { width: 320, height: 240,
      role: 'img', 'aria-label': `map of ${name}` });
    const text = h('div', { class: 'small' });
    let players = [];
    const title = name.replace(/^probe:/, '').replaceAll('-', ' ');
    const element = h('article', { class: 'card panel' }, canvas,
      h('h2', {}, title), text, h('div', { class: 'row' },
        button('Play', () => app.go('play', { task: name }), 'first'),
        button('Watch', () => app.go('watch', { task: name, players })),
        button('Edit', () => app.go('make', { task: name }))));
    element.fill = ({ told, scene, faults }) => {
      drawStart(canvas, scene);
      if (told.players > 1) {
        element.lastChild.append(button('With the expert', () =>
          app.go('play', { task: name, partner: 'expert' })));
      }
      text.replaceChildren(h('div', {}, 'Goal: ', h('b', {}, told.goal)),
        rulesList(told), h('span', { class: 'dim' },
          `${told.trials} × ${told.seconds.toFixed(0)} s` +
          (told.players > 1 ? ', two players' : '')),
      ...Object.entries(faults).filter(([, fault]) => fault).map(
        ([agent, fault]) => h('p', { class: 'dim', title: fault },
          `Not for ${short(agent)}: ${fault.replace(/^task '.*?' /, 'it ')
            .replace("this agent's environments hold", 'its worlds hold')}`)));
      // The players that can play the task.
      players = [...lists.agents.filter((agent) => !faults[agent]),
        'explorer', 'expert'];
    };
    element.name = name;
    return element;
  });

  // Fetches one card after another, those on the screen first.
  async function fetchNext() {
    if (busy || closed || !queue.length) return;
    busy = true;
    const card = queue.shift();
    try {
      card.fill(await link.ask('card', { task: card.name }, 'card'));
    } catch (error) { toast(error.message); }
    busy = false;
    fetchNext();
  }

  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      queue.push(target);
    }
    fetchNext();
  });
  cards.forEach((card) => observer.observe(card));

  const kinds = [['probe', 'the probes'], ['test', 'held-out tasks'],
    ...lists.families.map((name) => [name, `family ${name}`])];
  const join = button('Join a game that waits', () =>
    app.go('play', { join: true }));
  return {
    element: h('div', {},
      h('h1', {}, 'Worlds to learn in'),
      h('p', {}, 'Many tasks hide rules. Find them out in the first trials ' +
        'and use them in the later ones, as agents must. “?” stands for a ' +
        'hidden rule.'),
      kind === 'probe' ? whatFits(lists) : '',
      h('div', { class: 'row' }, choice('show', kinds, kind,
        (value) => app.go('gallery', { kind: value })), join),
      h('div', { class: 'cards' }, cards)),
    close() { closed = true; queue = []; observer.disconnect(); },
  };
}
