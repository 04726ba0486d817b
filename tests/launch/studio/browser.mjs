// Uses the studio's page in a real browser, by keys: `.ci/studio`.
//
// It makes a task, plays it to a reward, gives what was played to an agent,
// moves through the trials, and plays once more without WebGL.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import process from 'node:process';
import { inflateSync } from 'node:zlib';
import { chromium } from 'playwright-core';

const PYTHON = process.env.PYTHON ?? '.venv/bin/python';
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const SHOTS = process.env.SHOTS; // A folder for pictures.
const PATIENCE = Number(process.env.PATIENCE ?? 120) * 1000;

const began = Date.now();
const say = (text) =>
  console.log(`${((Date.now() - began) / 1000).toFixed(1)} s  ${text}`);

// Starts the studio; returns the process and the page's address.
function serve() {
  const child = spawn(PYTHON, ['-m', 'launch.studio', '--no_browser'],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`the studio ended: ${code}`)));
    child.stdout.on('data', (data) => {
      const found = /http:\S+/.exec(String(data));
      if (found) resolve([child, found[0]]);
    });
  });
}

// Opens the page and notes whatever it should not do.
async function open(browser, address, faults, before) {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
  page.setDefaultTimeout(PATIENCE);
  page.on('pageerror', (error) => faults.push(error.stack));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (!['data:', 'blob:'].includes(protocol) &&
        host !== new URL(address).host) faults.push(request.url());
  });
  if (before) await page.addInitScript(before);
  await page.goto(address);
  await page.waitForFunction(() => window.adaland?.lists);
  return page;
}

// Returns how many colours an element shows, of a coarse palette.
async function colours(page, selector) {
  const png = await page.locator(selector).first().screenshot();
  const { pixels, channels } = decode(png);
  const seen = new Set();
  for (let i = 0; i < pixels.length; i += channels) {
    seen.add((pixels[i] >> 4) << 8 | (pixels[i + 1] >> 4) << 4 |
      pixels[i + 2] >> 4);
  }
  return seen.size;
}

// Decodes a PNG of 8 bits a channel, not interlaced, as browsers write it.
function decode(png) {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const channels = png[25] === 6 ? 4 : 3;
  const parts = [];
  for (let at = 8; at < png.length;) {
    const size = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') {
      parts.push(png.subarray(at + 8, at + 8 + size));
    }
    at += size + 12;
  }
  const data = inflateSync(Buffer.concat(parts));
  const line = width * channels;
  const pixels = Buffer.alloc(height * line);
  for (let y = 0; y < height; y++) {
    const filter = data[y * (line + 1)];
    for (let x = 0; x < line; x++) {
      const at = y * line + x;
      const left = x >= channels ? pixels[at - channels] : 0;
      const up = y ? pixels[at - line] : 0;
      const corner = x >= channels && y ? pixels[at - line - channels] : 0;
      const guess = left + up - corner;
      const [a, b, c] = [left, up, corner].map((v) => Math.abs(guess - v));
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      pixels[at] = data[y * (line + 1) + 1 + x] +
        [0, left, up, (left + up) >> 1, paeth][filter];
    }
  }
  return { pixels, channels };
}

const shoot = async (page, name) => {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png` });
};

// Makes a task in the editor, by the keyboard, and plays it.
async function makeTask(page) {
  await page.evaluate(() => adaland.go('make'));
  await page.getByRole('button', { name: 'New' }).press('Enter');
  await page.getByLabel('tiles').fill('6');
  await page.getByLabel('by').fill('2');
  await page.getByLabel('trials').fill('2');
  await page.getByLabel('seconds of each').fill('5');
  await page.getByLabel('goal of player 1').fill('near(player1, black cubes)');
  await page.getByText('Not a task yet').waitFor();
  await page.getByLabel('goal of player 1').fill('near(player1, black cube)');
  await page.locator('.tools select').selectOption('black cube');
  await page.getByRole('button', { name: 'Add one anywhere' }).press('Enter');
  await page.getByText('Solvable without any rule').waitFor();
  await page.getByRole('button', { name: 'Add a rule' }).press('Enter');
  await page.getByLabel('rule 1').fill('hold(player1, black cube) -> purple wall');
  await page.getByLabel('hidden', { exact: true }).press('Space');
  await page.waitForFunction(() =>
    adaland.debug.checked?.measures?.rules === 1 &&
    adaland.debug.draft().hide.rules?.[0] === 1);
  await shoot(page, 'make');
  await page.getByRole('button', { name: 'Play it' }).press('Enter');
}

// Walks to the first object by the arrow keys until there is a reward.
async function walk(page) {
  await page.getByRole('button', { name: 'Start (Enter)' }).waitFor();
  assert.ok(!(await page.content()).includes('purple wall'), 'a hidden rule');
  await page.keyboard.press('Enter');
  let held = [];
  for (;;) {
    const [turn, over] = await page.evaluate(() => {
      const { pose, over } = adaland.debug;
      const [x, y, , yaw] = pose.p[0];
      const angle = Math.atan2(pose.o[0][3] - y, pose.o[0][2] - x) - yaw;
      return [Math.atan2(Math.sin(angle), Math.cos(angle)), over];
    });
    if (over) return over;
    const wanted = Math.abs(turn) < .35 ? ['ArrowUp']
      : [turn > 0 ? 'ArrowLeft' : 'ArrowRight'];
    for (const key of held) if (!wanted.includes(key)) await page.keyboard.up(key);
    for (const key of wanted) if (!held.includes(key)) await page.keyboard.down(key);
    held = wanted;
    await page.waitForTimeout(30);
  }
}

const [child, address] = await serve();
const faults = [];
let browser = null;
try {
  assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/#token=/);
  say(`serving ${address.split('#')[0]}`);
  browser = await chromium.launch({ executablePath: CHROMIUM,
    args: ['--no-sandbox', '--enable-unsafe-swiftshader', '--disable-gpu'] });
  const page = await open(browser, address, faults);
  assert.ok(!page.url().includes('token'), 'the token stays in the address');
  await page.locator('.card .hidden-rule').first().waitFor();
  assert.ok(await colours(page, '.card canvas') > 8, 'a picture of a task');
  await shoot(page, 'gallery');
  say('gallery');

  await makeTask(page);
  say('a task was made');
  await page.waitForFunction(() => adaland.debug.told);
  const three = await page.evaluate(() => Boolean(adaland.three));
  assert.ok(three, 'there is WebGL');
  const rewards = await walk(page);
  assert.equal(rewards.length, 2);
  assert.ok(Math.max(...rewards) > 0.5, `rewards ${rewards}`);
  const stats = await page.evaluate(() => adaland.debug.stats);
  assert.equal(stats.dropped_states, 0);
  say(`played to a reward: ${JSON.stringify(stats)}`);
  await shoot(page, 'played');

  await page.getByRole('button', { name: /Prompt laptop/ }).press('Enter');
  await page.waitForFunction(() =>
    adaland.debug.loaded > 1 && adaland.debug.loaded === adaland.debug.total);
  const found = await page.evaluate(() => adaland.debug.rewards);
  assert.equal(found.length, 3);
  // The demonstration, and the prompted agent's first trial, are what was
  // played.
  for (const k of [0, 1]) {
    assert.ok(Math.abs(found[2][k] - rewards[k]) < 2e-3, `${found} ${rewards}`);
  }
  assert.ok(Math.abs(found[0][0] - rewards[0]) < 2e-3, `${found} ${rewards}`);
  assert.ok(!(await page.content()).includes('purple wall'), 'a hidden rule');
  say('an agent was prompted');

  await page.locator('.timeline').focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('Home');
  await page.waitForFunction(() => adaland.debug.position < 1);
  const start = await page.locator('.grid3d').screenshot();
  await page.keyboard.press('End');
  await page.waitForFunction(() => adaland.debug.position > 70);
  const end = await page.locator('.grid3d').screenshot();
  assert.ok(!start.equals(end), 'another moment looks different');
  assert.ok(await colours(page, '.lane .stage') > 8, 'a world from above');
  await shoot(page, 'watch');
  say('scrubbed');
  await page.close();

  const flat = await open(browser, address, faults, () => {
    const make = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function get(kind, ...rest) {
      return kind.startsWith('webgl') ? null : make.call(this, kind, ...rest);
    };
  });
  await flat.evaluate(() => adaland.go('play', { task: 'traps:0' }));
  await flat.getByRole('button', { name: 'Start (Enter)' }).waitFor();
  await flat.keyboard.press('Enter');
  await flat.keyboard.down('KeyE');
  await flat.waitForFunction(() =>
    document.querySelector('.stage img').naturalWidth === 320 &&
    adaland.debug.pose);
  const yaw = await flat.evaluate(() => adaland.debug.pose.p[0][3]);
  await flat.waitForFunction((from) =>
    Math.abs(adaland.debug.pose.p[0][3] - from) > .5, yaw);
  assert.ok(await colours(flat, '.stage img') > 4, 'a picture without WebGL');
  await shoot(flat, 'flat');
  await flat.keyboard.up('KeyE');
  await flat.evaluate(() =>
    adaland.go('watch', { task: 'traps:0', players: ['expert'] }));
  await flat.waitForFunction(() =>
    adaland.debug.loaded > 1 && adaland.debug.loaded === adaland.debug.total);
  assert.ok(await colours(flat, '.lane canvas') > 4, 'a map without WebGL');
  for (const [view, text] of [['measure', 'How well do you adapt?'],
    ['runs', 'Runs and agents']]) {
    await flat.evaluate((name) => adaland.go(name), view);
    await flat.getByText(text).waitFor();
  }
  await flat.close();
  say('played and watched without WebGL');
  assert.deepEqual(faults, []);
  say('done');
} catch (error) {
  console.error(error, faults);
  process.exitCode = 1;
} finally {
  child.removeAllListeners('exit');
  await browser?.close();
  child.kill('SIGTERM');
}
