// Watches players on one task after another, and samples the memory of the
// server and the page every minute:
//
//   node tests/launch/studio/soak.mjs MINUTES OUT.json

import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { launch, open, serve, watched } from './browser_lib.mjs';

const minutes = Number(process.argv[2] ?? 30);
const out = process.argv[3];
const PLAYERS = ['agent:laptop', 'explorer', 'expert'];

// Resident memory of a process, MiB.
const resident = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`))[1]) / 1024;

// Slope of y over x by least squares.
function slope(x, y) {
  const mean = (v) => v.reduce((a, b) => a + b, 0) / v.length;
  const [mx, my] = [mean(x), mean(y)];
  const up = x.reduce((sum, xi, i) => sum + (xi - mx) * (y[i] - my), 0);
  return up / x.reduce((sum, xi) => sum + (xi - mx) ** 2, 0);
}

const [child, address] = await serve();
const faults = [];
const browser = await launch();
try {
  const page = await open(browser, address, faults);
  const tools = await page.context().newCDPSession(page);
  const began = Date.now();
  const passed = () => (Date.now() - began) / 60000;
  const samples = [];
  let tasks = 0;
  const sample = async () => {
    await tools.send('HeapProfiler.collectGarbage');
    const { usedSize } = await tools.send('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } =
      await tools.send('Memory.getDOMCounters');
    samples.push({ minute: +passed().toFixed(2), tasks,
      server_mib: +resident(child.pid).toFixed(1),
      page_heap_mib: +(usedSize / 2 ** 20).toFixed(2), nodes,
      listeners: jsEventListeners });
    console.log(JSON.stringify(samples.at(-1)));
  };
  await sample();
  while (passed() < minutes) {
    await page.evaluate(([task, players]) =>
      adaland.go('watch', { task, players }), [`traps:${tasks}`, PLAYERS]);
    await watched(page);
    // It plays to the end by itself, in real time.
    while (await page.evaluate(() =>
      adaland.debug.position < adaland.debug.total - 1)) {
      await page.waitForTimeout(1000);
      if (passed() >= samples.length && samples.length <= minutes) {
        await sample();
      }
    }
    tasks += 1;
  }
  await sample();
  // The first minutes load and compile.
  const settled = samples.filter(({ minute }) => minute >= Math.min(5, minutes / 3));
  const report = { minutes, tasks, faults, samples };
  for (const name of ['server_mib', 'page_heap_mib', 'nodes', 'listeners']) {
    const values = settled.map((each) => each[name]);
    report[name] = { first: values[0], last: values.at(-1),
      per_hour: +(60 * slope(settled.map((s) => s.minute), values)).toFixed(2) };
  }
  console.log(JSON.stringify({ ...report, samples: samples.length }, null, 1));
  if (out) writeFileSync(out, JSON.stringify(report, null, 1));
} finally {
  child.removeAllListeners('exit');
  await browser.close();
  child.kill('SIGTERM');
}
