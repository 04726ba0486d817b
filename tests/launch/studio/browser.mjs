// Uses the studio's page in a real browser, by keys: `.ci/studio`.
//
// It makes a task, plays it to a reward, prompts an agent with that episode,
// moves through the trials, opens a recorded evaluation, and plays again
// without WebGL, by touch and game pad, and with two pages. The connection is
// lost while a task is made, while one is played, and while one is watched.

import assert from 'node:assert/strict';
import process from 'node:process';
import { colours, launch, open, serve, walk, watched } from './browser_lib.mjs';

const SHOTS = process.env.SHOTS; // A folder for pictures.

const began = Date.now();
const say = (text) =>
  console.log(`${((Date.now() - began) / 1000).toFixed(1)} s  ${text}`);

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
  await page.getByLabel('seconds per trial').fill('5');
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
    String(adaland.debug.draft().world.tiles) === '6,2' &&
    adaland.debug.draft().hide.rules?.[0] === 1);
  await shoot(page, 'make');
  await editText(page);
  await page.getByRole('button', { name: 'Play it' }).press('Enter');
}

// Edits the task as JSON, and restores it after the connection was lost.
async function editText(page) {
  const drafted = await page.evaluate(() => adaland.debug.draft());
  await page.locator('summary', { hasText: 'JSON' }).press('Enter');
  // Returns the draft once it has a name and has been checked.
  const found = async (name) => {
    await page.waitForFunction((expected) => {
      const draft = adaland.debug.draft();
      return draft.name === expected &&
        adaland.debug.checked?.text === JSON.stringify(draft);
    }, name);
    const [{ error }, draft] = await page.evaluate(() =>
      [adaland.debug.checked, adaland.debug.draft()]);
    assert.equal(error, undefined);
    return draft;
  };
  const edit = async (task) => {
    const text = page.getByLabel('the task as JSON');
    await text.fill(JSON.stringify(task));
    await text.blur();
    return found(task.name);
  };
  const least = { format: 'adaland.task/2', name: 'least',
    objects: [{ type: 'black cube' }],
    players: [{ goal: 'near(player1, black cube)' }] };
  await edit(least);
  assert.equal(await page.getByLabel('tiles').inputValue(), '8');
  const heights = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
  heights[3][0] = 1;
  await edit({ ...least, name: 'raised', world: { heights } });
  const tiles = page.getByLabel('tiles');
  await tiles.press('Control+a');
  await tiles.pressSequentially('12');
  await tiles.blur();
  await page.waitForFunction(() => {
    const { heights } = adaland.debug.draft().world;
    return heights.length === 12 && heights[3][0] === 1;
  });
  await edit({ ...least, name: 'two',
    players: [...least.players, { goal: 'near(player2, black cube)' }],
    rules: ['hold(player1, black cube) -> purple wall',
      'see(player1, black cube) -> purple wall'],
    hide: { player1: { rules: [1] }, player2: { rules: [2] } } });
  await page.locator('.row', { has: page.getByLabel('rule 1') })
    .getByRole('button', { name: 'Remove' }).press('Enter');
  const { hide } = await found('two');
  assert.deepEqual([hide.player1.rules, hide.player2.rules], [[], [1]]);
  await page.getByLabel('players').selectOption('1');
  assert.deepEqual((await found('two')).hide.rules, []);
  await page.evaluate(() => adaland.link.socket.close());
  assert.deepEqual(await edit(drafted), drafted);
  say('a task was edited as text, and the connection came back');
}

// Opens an evaluation's JSON with the played episode, and scrubs it.
async function openRecorded(page, rewards) {
  const demo = await page.evaluate(() => adaland.store.demos[0].demo);
  const content = JSON.stringify({ policy: 'person', episodes: [
    { task: 0, name: 'mine', policy: 'person', rewards, episode: 0, demo }] });
  await page.evaluate(() => adaland.go('watch', { players: ['noop'] }));
  const asked = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open a recording' }).press('Enter');
  await (await asked).setFiles({ name: 'evaluation.json',
    mimeType: 'application/json', buffer: Buffer.from(content) });
  await page.locator('tr', { hasText: 'mine' }).getByRole('button')
    .press('Enter');
  await watched(page);
  await page.getByText('person, recorded').waitFor();
  const [first] = await page.evaluate(() => adaland.debug.rewards);
  assert.ok(Math.abs(first[1] - rewards[1]) < 2e-3, `${first} ${rewards}`);
  await page.locator('.timeline').press('End');
  await page.waitForFunction(() => adaland.debug.position > 70);
  await page.locator('.timeline').press('Home');
  await page.waitForFunction(() => adaland.debug.position < 5);
  say('a recorded evaluation was scrubbed');
}

// Plays and watches without WebGL.
async function withoutWebGL() {
  const flat = await open(browser, address, faults, { before: () => {
    const make = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function get(kind, ...rest) {
      return kind.startsWith('webgl') ? null : make.call(this, kind, ...rest);
    };
  } });
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
  await watched(flat);
  assert.ok(await colours(flat, '.lane canvas') > 4, 'a map without WebGL');
  for (const [view, text] of [['measure', 'How well do you adapt?'],
    ['runs', 'Runs and agents']]) {
    await flat.evaluate((name) => adaland.go(name), view);
    await flat.getByText(text).waitFor();
  }
  await flat.close();
  say('played and watched without WebGL');
}

// Plays with two fingers on the screen, then with a simulated game pad.
async function byTouchAndPad() {
  const page = await open(browser, address, faults, { hasTouch: true,
    isMobile: true, before: () => {
      const idle = { axes: [0, 0, 0, 0], buttons: [{ pressed: false }] };
      window.pad = idle;
      navigator.getGamepads = () => [null, window.pad];
    } });
  const task = JSON.stringify({ format: 'adaland.task/2',
    world: { tiles: [8, 8], levels: 1 }, objects: [{ type: 'black cube' }],
    players: [{ goal: 'hold(player1, black cube)', at: [0, 0] }],
    trials: 1, trial_seconds: 40 });
  await page.evaluate((text) => adaland.go('play', { task: text }), task);
  await page.getByRole('button', { name: 'Start (Enter)' }).tap();
  const pose = () => page.evaluate(() => adaland.debug.pose.p[0]);
  const moved = (from, far, turn) => page.waitForFunction(([p, d, a]) => {
    const [x, y, , yaw] = adaland.debug.pose.p[0];
    const angle = yaw - p[3];
    return Math.hypot(x - p[0], y - p[1]) > d &&
      Math.abs(Math.atan2(Math.sin(angle), Math.cos(angle))) > a;
  }, [from, far, turn]);
  const still = async () => {
    await page.waitForTimeout(600);
    const [[x, y], [p, q]] = [await pose(), await (async () => {
      await page.waitForTimeout(400);
      return pose();
    })()];
    assert.ok(Math.hypot(x - p, y - q) < .02, 'it stands when it is let go');
  };
  const tools = await page.context().newCDPSession(page);
  const box = async (side) => page.locator(`.touch.${side}`).boundingBox();
  const [left, right] = [await box('left'), await box('right')];
  const before = await pose();
  await tools.send('Input.dispatchTouchEvent', { type: 'touchStart',
    touchPoints: [
      { x: left.x + left.width / 2, y: left.y + 4, id: 1 },
      { x: right.x + right.width - 4, y: right.y + right.height / 2, id: 2 }] });
  await moved(before, .4, .4);
  await tools.send('Input.dispatchTouchEvent',
    { type: 'touchEnd', touchPoints: [] });
  await still();
  await page.locator('.touch.grip').tap();
  await page.getByText('grip closed').waitFor();
  await shoot(page, 'touch');
  say('played by touch');

  const stood = await pose();
  await page.evaluate(() => {
    window.pad = { axes: [0, 1, -1, 0], buttons: [{ pressed: true }] };
  });
  await moved(stood, .4, .4);
  await page.getByText('grip open').waitFor();
  await page.evaluate(() => {
    window.pad = { axes: [0.1, 0.1, 0, 0], buttons: [{ pressed: false }] };
  });
  await still();
  say('played by game pad');

  await page.evaluate(() => adaland.link.socket.close());
  await page.getByText('The connection was lost').waitFor();
  await page.getByText('The studio is back').waitFor();
  await page.getByRole('button', { name: 'Back to the gallery' }).tap();
  await page.locator('.card .hidden-rule').first().waitFor();
  await page.close();
  say('a lost game was left');
}

// Opens an address that names a step, watches again, and loses the connection
// before all steps have arrived.
async function watchFrom() {
  const page = await open(browser, address, faults);
  const go = (query) => page.evaluate((text) => {
    location.hash = `#/watch?players=expert,explorer&${text}`;
  }, query);
  await go('task=traps:0&step=90');
  await watched(page);
  // The second picture from now on is of all steps.
  const position = await page.evaluate(() => new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(() =>
      done(adaland.debug.position)));
  }));
  assert.ok(position >= 90, `position ${position}`);
  await page.getByRole('button', { name: 'Watch', exact: true })
    .press('Enter');
  await page.waitForFunction(() => adaland.debug.position < 20);
  say('watched from a step of an address, and again from the first');

  await go('task=traps:1&trials=48');
  await page.waitForFunction(() =>
    adaland.debug.loaded > 1 && adaland.debug.loaded < adaland.debug.total);
  await page.evaluate(() => adaland.link.socket.close());
  await page.getByText('the rest is missing').waitFor();
  await page.getByText('The studio is back').waitFor();
  await page.getByRole('button', { name: 'Watch', exact: true })
    .press('Enter');
  await page.getByText('the rest is missing').waitFor({ state: 'detached' });
  await page.close();
  say('a cut episode was named as such');
}

// Plays with two pages, one of which joins the game of the other.
async function together() {
  const [first, second] = await Promise.all(
    [0, 1].map(() => open(browser, address, faults)));
  const task = JSON.stringify({ format: 'adaland.task/2',
    world: { tiles: [8, 8], levels: 1 }, objects: [{ type: 'black cube' }],
    players: [{ goal: 'see(player1, player2)', at: [0, 0] },
      { goal: 'near(player2, black cube)', at: [2, 0] }],
    trials: 1, trial_seconds: 40 });
  await first.evaluate((text) =>
    adaland.go('play', { task: text, partner: 'person' }), task);
  await first.getByText('Waiting for the second player').waitFor();
  await second.getByRole('button', { name: 'Join a game that waits' })
    .press('Enter');
  await second.getByText('near(player2, black cube)').first().waitFor();
  const start = first.getByRole('button', { name: 'Start (Enter)' });
  await start.press('Enter');
  const seen = (page) => page.evaluate(() => adaland.debug.pose.p);
  await second.waitForFunction(() => adaland.debug.pose?.t > 2);
  const before = await seen(first);
  assert.equal(before.length, 2);
  await second.bringToFront();
  await second.locator('.stage').focus();
  await second.keyboard.down('ArrowUp');
  await first.waitForFunction(([x, y]) => Math.hypot(
    adaland.debug.pose.p[1][0] - x, adaland.debug.pose.p[1][1] - y) > .4,
  before[1]);
  await second.keyboard.up('ArrowUp');
  const after = await seen(first);
  assert.ok(Math.hypot(after[0][0] - before[0][0],
    after[0][1] - before[0][1]) < .1, 'the other player stands');
  await Promise.all([first.close(), second.close()]);
  say('played by two');
}

const [child, address] = await serve();
const faults = [];
let browser = null;
try {
  assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/#token=/);
  say(`serving ${address.split('#')[0]}`);
  browser = await launch();
  const page = await open(browser, address, faults);
  assert.ok(!page.url().includes('token'), 'the token stays in the address');
  await page.locator('.card .hidden-rule').first().waitFor();
  assert.ok(await colours(page, '.card canvas') > 8, 'a picture of a task');
  await page.getByText(/can play \d+ of the \d+ probes/).first().waitFor();
  await shoot(page, 'gallery');
  say('gallery');

  await makeTask(page);
  say('a task was made');
  await page.waitForFunction(() => adaland.debug.told);
  const three = await page.evaluate(() => Boolean(adaland.three));
  assert.ok(three, 'there is WebGL');
  await page.getByRole('button', { name: 'Start (Enter)' }).waitFor();
  assert.ok(!(await page.content()).includes('purple wall'), 'a hidden rule');
  const rewards = await walk(page);
  assert.equal(rewards.length, 2);
  assert.ok(Math.max(...rewards) > 0.5, `rewards ${rewards}`);
  const stats = await page.evaluate(() => adaland.debug.stats);
  assert.equal(stats.dropped_states, 0);
  say(`played to a reward: ${JSON.stringify(stats)}`);
  await shoot(page, 'played');

  await page.getByRole('button', { name: /Prompt laptop/ }).press('Enter');
  await watched(page);
  const found = await page.evaluate(() => adaland.debug.rewards);
  assert.equal(found.length, 3);
  // The demonstration and the prompted agent's first trial repeat the play.
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
  // The agents' memories attend to the past; the demonstration has no memory.
  const [prompted, alone, none] = await page.evaluate(() =>
    adaland.debug.attended);
  assert.ok(prompted > 0 && alone > 0 && none === 0);
  await page.locator('.attention', { hasText: 'trial 1' }).first().waitFor();
  await shoot(page, 'watch');
  say('scrubbed');
  await openRecorded(page, rewards);
  await page.close();

  await Promise.all([withoutWebGL(), byTouchAndPad()]);
  await watchFrom();
  await together();
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
