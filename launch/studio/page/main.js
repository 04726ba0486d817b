// The page's entry point: token, connection, and the choice of the view.

import { h, toast } from './dom.js';
import { make } from './editor.js';
import { gallery } from './gallery.js';
import { Link } from './link.js';
import { people } from './people.js';
import { play } from './play.js';
import { runs } from './runs.js';
import { unpackTask } from './share.js';
import { Store } from './store.js';
import { watch } from './watch.js';

const VIEWS = { gallery, play, watch, make, measure: people, runs };
const TITLES = { gallery: 'Gallery', play: 'Play', watch: 'Watch',
  make: 'Make', measure: 'Measure yourself', runs: 'Runs' };
const TOKEN = 'adaland.token';

// Returns the module that draws in 3D, or null without WebGL.
async function load3d() {
  try {
    const canvas = document.createElement('canvas');
    if (!canvas.getContext('webgl2')) return null;
    return await import('./world.js');
  } catch (error) {
    console.warn('studio: no 3D:', error.message);
    return null;
  }
}

const main = document.getElementById('main');
const state = document.getElementById('state');
const store = new Store();
// The fragment of the first address holds the token: no server sees it.
const fragment = new URLSearchParams(location.hash.slice(1));
if (fragment.has('token')) {
  store.set(TOKEN, fragment.get('token'));
  history.replaceState(null, '', '#/gallery');
}
let view = null;

const app = {
  store,
  debug: {},
  three: null,
  lists: null,
  params: {},
  link: null,
  address: () => `${location.origin}/#token=${store.get(TOKEN, '')}`,
  // Shows a view; parameters too long for an address are passed directly.
  go(name, params = {}) {
    app.handed = params;
    const target = fragmentOf(name, params);
    if (location.hash === target) route();
    else location.hash = target;
  },
  remember(name, params) {
    app.params = params;
    history.replaceState(null, '', fragmentOf(name, params));
  },
};
window.adaland = app;

function fragmentOf(name, params) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    const text = String(value ?? '');
    if (text && text.length < 200 && typeof value !== 'function') {
      query.set(key, text);
    }
  }
  return `#/${name}${query.size ? `?${query}` : ''}`;
}

async function route() {
  if (!app.lists) return;
  const [name, query] = location.hash.slice(2).split('?');
  let params = app.handed ?? Object.fromEntries(new URLSearchParams(query));
  app.handed = null;
  if (name === 'task') {
    // A link that holds a whole task.
    try {
      params = { task: JSON.stringify(await unpackTask(query)) };
      app.remember('make', {});
    } catch { toast('This link holds no task.'); }
  }
  const shown = name === 'task' ? 'make' : name in VIEWS ? name : 'gallery';
  if (shown === 'play' && !params.join) params.task ??= 'test:0';
  view?.close();
  app.debug = {};
  app.params = params;
  view = VIEWS[shown](app, params);
  main.replaceChildren(view.element);
  document.title = `${TITLES[shown]} – Adaland studio`;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.name === shown) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

for (const [name, title] of Object.entries(TITLES)) {
  document.getElementById('nav').append(
    h('a', { href: `#/${name}`, 'data-name': name }, title));
}

async function begin() {
  const token = store.get(TOKEN, '') || fragment.get('token') || '';
  if (!token) {
    main.replaceChildren(h('p', {}, 'Open the address that “adaland studio” ' +
      'printed: it holds the token that this page needs.'));
    return;
  }
  app.three = new URLSearchParams(location.search).has('flat')
    ? null : await load3d();
  state.textContent = 'connecting';
  app.link = new Link(token);
  app.link.on('progress', ({ text }) => {
    if (!app.lists) state.textContent = text;
  });
  app.link.on('welcome', (lists) => {
    const again = app.lists !== null;
    app.lists = lists;
    state.textContent = app.three ? 'ready' : 'ready (pictures, no 3D)';
    if (!again) route();
    else toast('The studio is back.', 'info');
  });
  app.link.on('error', ({ text, about }) => {
    if (!about) toast(text);
  });
  app.link.on('closed', ({ reason }) => {
    state.textContent = reason || 'the studio has stopped; trying again';
  });
}

// An address with a token, opened in this tab, changes only the fragment.
addEventListener('hashchange', () => {
  if (new URLSearchParams(location.hash.slice(1)).has('token')) {
    location.reload();
  } else route();
});

begin();
