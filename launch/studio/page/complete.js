// Completion of goals and rules while they are typed.

import { h } from './dom.js';

const PREDICATES = ['touching', 'near', 'hold', 'see'];
const COLOURS = ['black', 'purple', 'yellow'];
const SHAPES = ['wall', 'cube', 'sphere', 'pyramid'];
export const TYPES = SHAPES.flatMap((s) => COLOURS.map((c) => `${c} ${s}`));
const PLAYERS = ['player1', 'player2'];

// Returns the completions of a text, as whole texts.
export function completions(text, isRule) {
  const arrow = text.indexOf('->');
  if (arrow >= 0) {
    const at = Math.max(arrow + 2, text.lastIndexOf(',') + 1);
    const [head, part] = [text.slice(0, at), text.slice(at).trimStart()];
    return matching([...TYPES, 'nothing'], part).map((t) => `${head} ${t}`);
  }
  const open = text.indexOf('(');
  if (open < 0) {
    const not = text.startsWith('not ') ? 'not ' : '';
    const part = text.slice(not.length);
    const words = not ? PREDICATES : [...PREDICATES, 'not '];
    return matching(words, part).map((w) =>
      not + w + (w === 'not ' ? '' : '('));
  }
  const close = text.indexOf(')');
  if (close >= 0) return isRule ? [`${text.slice(0, close + 1)} -> `] : [];
  const comma = text.indexOf(',');
  const at = comma < 0 ? open + 1 : comma + 1;
  const [head, part] = [text.slice(0, at), text.slice(at).trimStart()];
  const end = comma < 0 ? ', ' : isRule ? ') -> ' : ')';
  const words = /hold\(/.test(text)
    ? comma < 0 ? PLAYERS : TYPES : [...PLAYERS, ...TYPES];
  return matching(words, part).map((w) =>
    `${head}${comma < 0 ? '' : ' '}${w}${end}`);
}

const matching = (words, part) => words.filter((w) => w.startsWith(part));

let numbers = 0;

// Returns an input with completion; `change` is called with its text.
export function completed(value, isRule, label, change) {
  const list = h('datalist', { id: `complete-${numbers += 1}` });
  const input = h('input', { type: 'text', value, list: list.id, size: 46,
    'aria-label': label, autocomplete: 'off', spellcheck: false });
  const offer = () => list.replaceChildren(
    ...completions(input.value, isRule).map((text) =>
      h('option', { value: text })));
  input.addEventListener('input', () => { offer(); change(input.value); });
  input.addEventListener('focus', offer);
  return h('span', {}, input, list);
}
