// An agent's belief about the hidden rules, as a table.

import { h } from './dom.js';

const SHAPES = ['wall', 'cube', 'sphere', 'pyramid'];
const COLOURS = ['black', 'purple', 'yellow'];

export function typeName(type) {
  return `${COLOURS[(type - 1) % 3]} ${SHAPES[Math.floor((type - 1) / 3)]}`;
}

// Returns a table of probabilities, in percent, for the types of a task.
export function beliefTable(frame, types, truth) {
  const cell = (kind, type) => {
    const value = frame.belief[kind][type - 1];
    return [
      h('td', {}, h('meter', { min: '0', max: '100', value: String(value),
        title: `${value} %` })),
      h('td', { class: truth?.[kind][type - 1] ? 'right' : 'dim' },
        `${value} %`),
    ];
  };
  return h('table', { class: 'belief' },
    h('tr', { class: 'dim' }, h('td', {}, 'belief that'),
      h('td', { colSpan: 2 }, 'the goal needs it'),
      h('td', { colSpan: 2 }, 'another rule needs it')),
    types.map((type) => h('tr', {}, h('td', {},
      h('span', { class: `swatch ${COLOURS[(type - 1) % 3]}` }), ' ',
      typeName(type)), cell(0, type), cell(1, type))));
}
