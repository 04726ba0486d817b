// Plays for a minute with the keys, walking and turning in alternation, and
// prints the page's measurements:
//
//   node tests/launch/studio/minute.mjs

import process from 'node:process';
import { launch, open, serve } from './browser_lib.mjs';

const TASK = JSON.stringify({ format: 'adaland.task/2', name: 'a minute',
  world: { tiles: [8, 8], levels: 1 },
  objects: [{ type: 'black cube', at: [[2, 2]] }],
  players: [{ goal: 'near(player1, black cube)' }],
  trials: 2, trial_seconds: 30 });
const KEYS = ['ArrowUp', 'ArrowLeft', 'ArrowDown', 'ArrowRight'];

const [child, address] = await serve();
const faults = [];
const browser = await launch();
try {
  const page = await open(browser, address, faults);
  await page.evaluate((task) => adaland.go('play', { task }), TASK);
  await page.getByRole('button', { name: 'Start (Enter)' }).waitFor();
  await page.keyboard.press('Enter');
  for (let i = 0; !await page.evaluate(() => adaland.debug.over); i++) {
    await page.keyboard.press(KEYS[i % 4], { delay: 350 });
    await page.waitForTimeout(150);
  }
  console.log(JSON.stringify(await page.evaluate(() => adaland.debug.stats)));
  if (faults.length) throw new Error(faults.join('\n'));
} finally {
  child.removeAllListeners('exit');
  await browser.close();
  child.kill('SIGTERM');
}
process.exit();
