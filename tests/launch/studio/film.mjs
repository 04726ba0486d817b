// Films each mode of the page, for the documentation:
//
//   node tests/launch/studio/film.mjs FOLDER [MODE ...]
//
// With RUN=DIR the mode `runs` shows a run with a recorded evaluation. With
// SLOW=4 games and the page run at a quarter of their speed, and the films show
// them at normal speed, which helps on a busy processor.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { launch, open, serve, walk, watched } from './browser_lib.mjs';

const PYTHON = process.env.PYTHON ?? '.venv/bin/python';
const RUN = process.env.RUN;
const SLOW = Number(process.env.SLOW ?? 1);
const SERVER = `
import asyncio, sys
from adaland.envs import constants
from adaland.launch.studio import catalogue, client, server
def load():
  pace = float(sys.argv[1]) * constants.STEP_SECONDS
  return client.Shared(catalogue.Catalogue(sys.argv[2:]), pace)
say = lambda address: print(address, flush=True)
asyncio.run(server.Studio(load).run(0, say))
`;
const [folder, ...asked] = process.argv.slice(2);
const AGENT = 'agent:laptop';
const WORLD = { tiles: [6, 6], levels: 1 };
const TASK = JSON.stringify({ format: 'adaland.task/2', name: 'which cube',
  world: WORLD, objects: [{ type: 'black cube', at: [[1.8, 1]] },
    { type: 'yellow cube', at: [[1.8, -1.4]] }],
  players: [{ goal: 'near(player1, purple sphere)', at: [-1.5, 0] }],
  rules: ['near(player1, black cube) -> purple sphere',
    'near(player1, yellow cube) -> nothing'],
  hide: { rules: [1, 2] }, trials: 2, trial_seconds: 8 });

// Films what a page shows from now on; returns how to end it. Pictures that stay
// are cut short, so that nobody waits for the machine that filmed.
async function film(page, name, longest = .6) {
  const frames = mkdtempSync(join(tmpdir(), 'studio-'));
  const tools = await page.context().newCDPSession(page);
  const times = [];
  tools.on('Page.screencastFrame', ({ data, metadata, sessionId }) => {
    writeFileSync(join(frames, `${times.length}.jpg`), data, 'base64');
    times.push(metadata.timestamp);
    tools.send('Page.screencastFrameAck', { sessionId }).catch(() => {});
  });
  await tools.send('Page.startScreencast', { format: 'jpeg', quality: 90 });
  return async () => {
    await tools.send('Page.stopScreencast');
    await tools.detach();
    const list = times.map((time, i) => `file '${frames}/${i}.jpg'\nduration ${
      Math.min(longest, Math.max(.01, ((times[i + 1] ?? time + 1) - time) /
        SLOW)).toFixed(3)}`).join('\n');
    writeFileSync(join(frames, 'list'), `${list}\n`);
    const ffmpeg = execFileSync(PYTHON, ['-c',
      'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())'],
    { encoding: 'utf8' }).trim();
    execFileSync(ffmpeg, ['-y', '-loglevel', 'error', '-f', 'concat', '-safe',
      '0', '-i', join(frames, 'list'), '-vf', 'fps=12,scale=900:-2', '-c:v',
      'libx264', '-crf', '30', '-preset', 'slow', '-pix_fmt', 'yuv420p',
      '-movflags', '+faststart', join(folder, `${name}.mp4`)]);
    rmSync(frames, { recursive: true });
    console.log(`${name}.mp4 of ${times.length} pictures`);
  };
}

const shoot = (page, name, fullPage = false) =>
  page.screenshot({ path: join(folder, `${name}.png`), fullPage });
const rest = (page, seconds) => page.waitForTimeout(seconds * SLOW * 1000);
const press = (page, name) =>
  page.getByRole('button', { name }).first().press('Enter');
const position = (page, least) =>
  page.waitForFunction((n) => adaland.debug.position >= n, least);

// Twice the world's pace, in the film.
async function speed(page) {
  const value = String(Math.max(.5, 2 / SLOW));
  await page.getByLabel('speed').selectOption(value);
}

// Lets time pass, if it stands.
async function resume(page) {
  const toggle = page.getByRole('button', { name: /^(Play|Pause)$/ });
  if (await toggle.textContent() === 'Play') await toggle.press('Enter');
}

// Watches a task until all is there, and pauses at its start.
async function watch(page, request) {
  await page.evaluate((r) => adaland.go('watch', r), request);
  await watched(page);
  await page.locator('.timeline').press('Home');
}

const MODES = {
  async gallery(page) {
    await page.evaluate(() => adaland.go('gallery'));
    await page.locator('.card .hidden-rule').first().waitFor();
    // Another mode may have scrolled, and maps follow their cards.
    await page.evaluate(() => scrollTo(0, 0));
    await rest(page, 2);
    const stop = await film(page, 'gallery');
    await shoot(page, 'gallery');
    for (let i = 0; i < 12; i++) {
      await page.mouse.wheel(0, 130);
      await rest(page, .3);
    }
    await page.getByLabel('show').selectOption('traps');
    await page.locator('.card .hidden-rule').nth(3).waitFor();
    await rest(page, 2);
    await stop();
  },

  async play(page) {
    await page.evaluate((task) => adaland.go('play', { task }), TASK);
    await page.getByRole('button', { name: 'Start (Enter)' }).waitFor();
    const stop = await film(page, 'play');
    await rest(page, 1.5);
    const shot = page.waitForFunction(() => adaland.debug.pose?.t > 24)
      .then(() => shoot(page, 'play'));
    await walk(page);
    await shot;
    await rest(page, 1.5);
    await stop();
  },

  async prompt(page) {
    await MODES.play(page);
    const stop = await film(page, 'prompt');
    await rest(page, 1);
    await press(page, /Prompt laptop/);
    await watched(page);
    await page.locator('.timeline').press('Home');
    await speed(page);
    await resume(page);
    await position(page, 100);
    await shoot(page, 'prompt', true);
    await stop();
  },

  async watch(page) {
    // This agent has a belief head.
    await watch(page, { task: 'traps:3', reveal: true,
      players: ['agent:mixture', 'explorer', 'expert'] });
    const stop = await film(page, 'watch');
    await speed(page);
    await position(page, 100);
    await shoot(page, 'watch', true);
    await press(page, 'rule ▶');
    await rest(page, 1);
    await page.getByLabel('view').selectOption('eyes');
    await rest(page, 1.5);
    await page.getByLabel('view').selectOption('follow');
    await press(page, 'trial ▶');
    await resume(page);
    await rest(page, 4);
    await stop();
  },

  async measure(page) {
    await page.evaluate(() => adaland.go('measure'));
    await page.getByText('How well do you adapt?').waitFor();
    const stop = await film(page, 'measure');
    const set = page.locator('label', { hasText: /^tasks/ }).locator('select');
    await set.selectOption(`fits ${AGENT}`);
    await rest(page, 1);
    await set.selectOption('traps');
    await page.getByLabel('how many').fill('2');
    await page.getByLabel('trials per task').fill('3');
    await rest(page, 1);
    await press(page, 'Begin');
    for (let i = 0; i < 2; i++) {
      await page.getByRole('button', { name: 'Start (Enter)' }).waitFor();
      await page.evaluate(() => { adaland.debug.over = null; });
      await walk(page);
      await press(page, 'Next task');
    }
    await press(page, /Measure .* on these tasks/);
    await page.waitForFunction(() => adaland.debug.measured?.beside);
    await rest(page, 2);
    await shoot(page, 'measure');
    await stop();
  },

  async make(page) {
    await page.evaluate(() => adaland.go('make'));
    await press(page, 'New');
    const stop = await film(page, 'make');
    const fill = async (label, text) => {
      await page.getByLabel(label).fill(text);
      await rest(page, .7);
    };
    await fill('tiles', '6');
    await fill('by', '5');
    await page.locator('.tools select').selectOption('black cube');
    await press(page, 'Add one anywhere');
    await rest(page, .7);
    await page.locator('.tools select').selectOption('yellow pyramid');
    await press(page, 'Add one anywhere');
    await rest(page, .7);
    await fill('goal of player 1', 'hold(player1, purple sphere)');
    await press(page, 'Add a rule');
    await fill('rule 1', 'near(black cube, yellow pyramid) -> purple sphere');
    await page.getByLabel('hidden', { exact: true }).press('Space');
    await page.getByText('Solvable').waitFor();
    await rest(page, 1);
    await page.mouse.wheel(0, 600);
    await rest(page, 2);
    await stop();
    await shoot(page, 'make', true);
  },

  async runs(page) {
    await page.evaluate(() => adaland.go('runs'));
    await page.locator('figure').first().waitFor();
    const stop = await film(page, 'runs');
    await rest(page, 1.5);
    await shoot(page, 'runs');
    await page.locator('table.data button').first().press('Enter');
    await watched(page);
    await page.locator('.timeline').press('Home');
    await speed(page);
    await position(page, 60);
    await press(page, 'rule ▶');
    await rest(page, 1);
    await stop();
  },
};

const [child, address] = await serve(
  ['-c', SERVER, String(SLOW), ...(RUN ? [RUN] : [])]);
const faults = [];
const browser = await launch();
try {
  const page = await open(browser, address, faults,
    { viewport: { width: 1200, height: 760 } });
  // `prompt` begins with `play`.
  const all = Object.keys(MODES).filter((mode) => mode !== 'play');
  for (const mode of asked.length ? asked : all) await MODES[mode](page);
  if (faults.length) console.error(faults);
} finally {
  child.removeAllListeners('exit');
  await browser.close();
  child.kill('SIGTERM');
}
