// Recorded episodes: demonstrations, and those that an evaluation kept.

import { button, h } from './dom.js';
import { toBase64 } from './share.js';

// Reads a file: a demonstration as { demo }, or an evaluation's JSON as
// { episodes, agent }, the fingerprint of its agent.
export function readRecording(bytes) {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return { demo: toBase64(bytes) };
  let found;
  try {
    found = JSON.parse(new TextDecoder().decode(bytes));
  } catch { throw new Error('This is neither a demonstration nor JSON.'); }
  if (!Array.isArray(found?.episodes) || !found.episodes.length) {
    throw new Error('This evaluation keeps no episodes: make it with --keep.');
  }
  return { episodes: found.episodes, agent: found.agent_sha256 ?? '' };
}

// Returns a list of episodes to choose from.
export function chooseEpisode(episodes, choose) {
  return h('section', { class: 'panel' }, h('h2', {}, 'Recorded episodes'),
    h('table', { class: 'data' }, episodes.map((episode, number) =>
      h('tr', {}, h('td', {}, episode.name || `task ${episode.task}`),
        h('td', {}, episode.policy),
        h('td', {}, (episode.rewards ?? []).map((r) => r.toFixed(1)).join(' '),
          ' s'),
        h('td', {}, button('Watch', () => choose(number)))))));
}
