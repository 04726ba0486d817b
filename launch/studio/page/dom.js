// Functions that make elements, and small helpers of the page.

// Returns an element; attributes that begin with "on" are listeners.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class') element.className = value;
    else if (name in element && typeof value !== 'string') {
      element[name] = value;
    } else if (name === 'value') element.value = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((c) => c !== null && c !== ''));
  return element;
}

// Returns an SVG element.
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function button(text, action, kind = '') {
  return h('button', { type: 'button', class: kind, onclick: action }, text);
}

// Returns a labelled choice; options are values or [value, text] pairs.
export function choice(text, options, value, change = () => {}) {
  const select = h('select', { onchange: () => change(select.value) },
    options.map((option) => {
      const [name, shown] = Array.isArray(option) ? option : [option, option];
      return h('option', { value: name }, shown);
    }));
  select.value = value;
  const label = h('label', {}, text, select);
  label.field = select;
  return label;
}

export function field(text, type, value, attributes = {}) {
  const input = h('input', { type, ...attributes });
  if (type === 'checkbox') input.checked = value;
  else input.value = value;
  const label = h('label', {}, text, input);
  label.field = input;
  return label;
}

// Shows a message for a while, or an error for longer.
export function toast(text, kind = '') {
  const box = h('div', { class: kind }, text);
  document.getElementById('toast').append(box);
  setTimeout(() => box.remove(), kind === 'info' ? 4000 : 9000);
}

// Offers data as a download.
export function download(name, data, type) {
  const address = URL.createObjectURL(new Blob([data], { type }));
  const link = h('a', { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// Asks for a file and returns its content as bytes.
export function askFile(accept) {
  return new Promise((resolve) => {
    const input = h('input', { type: 'file', accept, hidden: true });
    input.addEventListener('change', async () => {
      const [file] = input.files;
      input.remove();
      if (file) resolve(new Uint8Array(await file.arrayBuffer()));
    });
    document.body.append(input);
    input.click();
  });
}

export function rulesList(told) {
  if (!told.rules.length) return h('p', {}, 'This task has no rules.');
  return h('ol', { class: 'rules' }, told.rules.map((rule, i) => h('li', {},
    `${i + 1}. `, rule === '?'
      ? h('span', { class: 'hidden-rule', title: 'a hidden rule' }, '?')
      : rule,
    rule !== '?' && told.hidden.includes(i)
      ? h('span', { class: 'dim small' }, '  (hidden from the player)') : '')));
}

export const reducedMotion = () =>
  matchMedia('(prefers-reduced-motion: reduce)').matches;
