// Choosing a task by its name.

import { choice, field, h } from './dom.js';

// Returns a row of fields, and the task's name that they select as `value`.
export function taskChoice(app, value, changed = () => {}) {
  const { probes, families } = app.lists;
  const split = /^(.*):([^:]*)$/.exec(value ?? '') ?? [];
  const custom = (value ?? '').startsWith('{');
  const kinds = [['probe', 'a probe'], ['test', 'held-out tasks'],
    ['sample', 'training tasks'], ...families.map((f) => [f, `family ${f}`])];
  if (custom) kinds.unshift(['own', 'my own task']);
  const kind = custom ? 'own'
    : kinds.some(([name]) => name === split[1]) ? split[1] : 'test';
  const kindField = choice('task', kinds, kind, () => show());
  const probe = choice('', probes, kind === 'probe' ? split[2] : probes[0],
    changed);
  const index = field('number', 'number',
    kind === 'probe' || custom ? 0 : split[2] ?? 0, { min: 0, step: 1 });
  index.field.addEventListener('change', changed);
  const show = () => {
    probe.hidden = kindField.field.value !== 'probe';
    probe.style.display = probe.hidden ? 'none' : '';
    const numbered = !['probe', 'own'].includes(kindField.field.value);
    index.style.display = numbered ? '' : 'none';
    changed();
  };
  show();
  return {
    element: h('span', { class: 'row' }, kindField, probe, index),
    get value() {
      const name = kindField.field.value;
      if (name === 'own') return value;
      return `${name}:${name === 'probe' ? probe.field.value
        : Math.max(0, Math.floor(Number(index.field.value) || 0))}`;
    },
  };
}
