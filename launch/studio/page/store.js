// The browser's storage between visits: demonstrations and settings.

const DEMOS = 'adaland.demos';
const MOST = 8;

export class Store {
  get(name, fallback) {
    try {
      return JSON.parse(localStorage.getItem(name)) ?? fallback;
    } catch { return fallback; }
  }

  // Returns false if the browser stores nothing.
  set(name, value) {
    try {
      localStorage.setItem(name, JSON.stringify(value));
      return true;
    } catch { return false; }
  }

  get demos() { return this.get(DEMOS, []); }

  addDemo(name, demo, rewards) {
    const others = this.demos.filter((kept) => kept.demo !== demo);
    const when = new Date().toISOString().slice(0, 16).replace('T', ' ');
    this.set(DEMOS, [{ name, demo, rewards, when }, ...others].slice(0, MOST));
  }
}
