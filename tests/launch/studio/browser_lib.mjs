// Functions shared by the scripts that use the studio in a real browser.

import { spawn } from 'node:child_process';
import { inflateSync } from 'node:zlib';
import process from 'node:process';
import { chromium } from 'playwright-core';

const PYTHON = process.env.PYTHON ?? '.venv/bin/python';
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const PATIENCE = Number(process.env.PATIENCE ?? 120) * 1000;

// Starts the studio; returns the process and the page's address. `command` has
// the arguments of Python.
export function serve(command = ['-m', 'launch.studio', '--no_browser']) {
  const child = spawn(PYTHON, command,
    { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`the studio ended: ${code}`)));
    child.stdout.on('data', (data) => {
      const found = /http:\S+/.exec(String(data));
      if (found) resolve([child, found[0]]);
    });
  });
}

// Starts the browser, which draws without a graphics card.
export function launch(...more) {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox',
    '--enable-unsafe-swiftshader', '--disable-gpu', ...more] });
}

// Opens the page and notes whatever it should not do in `faults`. `before` is
// run in the page before its own scripts; `options` are the browser's.
export async function open(browser, address, faults, { before, ...options } = {}) {
  const page = await browser.newPage(
    { viewport: { width: 1200, height: 800 }, ...options });
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

// Waits until all that is to be watched has arrived.
export function watched(page) {
  return page.waitForFunction(() =>
    adaland.debug.loaded > 1 && adaland.debug.loaded === adaland.debug.total);
}

// Returns how many colours an element shows, of a coarse palette.
export async function colours(page, selector) {
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

// Begins a game, and walks to the first object by the arrow keys until it is
// over; returns the rewards of the trials. A turn lasts as long as its angle
// takes, and then the avatar gets time to follow, so that a slow machine does
// not turn too far.
export async function walk(page) {
  const { keyboard } = page;
  await keyboard.press('Enter');
  let walking = false;
  for (;;) {
    const [turn, over] = await page.evaluate(() => {
      const { pose, over } = adaland.debug;
      const [x, y, , yaw] = pose.p[0];
      if (!pose.o.length) return [0, over];
      const angle = Math.atan2(pose.o[0][3] - y, pose.o[0][2] - x) - yaw;
      return [Math.atan2(Math.sin(angle), Math.cos(angle)), over];
    });
    const ahead = Math.abs(turn) < .4;
    if (walking !== (ahead && !over)) {
      walking = !walking;
      await keyboard[walking ? 'down' : 'up']('ArrowUp');
    }
    if (over) return over;
    if (!ahead) {
      const delay = Math.min(700, Math.abs(turn) / 2.4 * 1000);
      await keyboard.press(turn > 0 ? 'ArrowLeft' : 'ArrowRight', { delay });
    }
    await page.waitForTimeout(ahead ? 100 : 250);
  }
}
