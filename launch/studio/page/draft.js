// A task that is being edited: its JSON, with one entry for each object.

const EMPTY = {
  format: 'adaland.task/1', name: 'my task', world: { seed: 0, tiles: [8, 8] },
  objects: [], players: [{ goal: 'near(player1, black cube)' }], rules: [],
  hide: { rules: [], objects: [], predicates: [] }, trials: 4,
  trial_seconds: 10,
};

export class Draft {
  constructor(task = EMPTY) {
    this.task = structuredClone(task);
    this.task.objects = this.task.objects.flatMap((spec) => {
      const count = spec.count ?? Math.max(1, spec.at?.length ?? 1);
      return Array.from({ length: count }, (_, i) => ({
        type: spec.type, at: spec.at?.[i] ?? null,
        frozen: spec.frozen ?? false }));
    });
    this.task.rules ??= [];
    this.task.hide ??= {};
  }

  get text() { return JSON.stringify(this.json); }

  // The task as files have it.
  get json() {
    return { ...this.task, objects: this.task.objects.map((o) => ({
      type: o.type, frozen: o.frozen, ...o.at ? { at: [o.at] } : {} })) };
  }

  // The lists of what one player is not told; edits are for all players.
  get hide() {
    const { hide } = this.task;
    return hide.player1 ?? hide;
  }

  setHide(field, values) {
    this.task.hide = { rules: [], objects: [], predicates: [], ...this.hide,
      [field]: values };
  }

  hides(rule) { return (this.hide.rules ?? []).includes(rule + 1); }

  toggleRule(rule) {
    const rules = (this.hide.rules ?? []).filter((n) => n !== rule + 1);
    if (!this.hides(rule)) rules.push(rule + 1);
    this.setHide('rules', rules);
  }

  removeRule(rule) {
    this.task.rules.splice(rule, 1);
    const rules = (this.hide.rules ?? []).filter((n) => n !== rule + 1)
      .map((n) => n > rule + 1 ? n - 1 : n);
    this.setHide('rules', rules);
  }

  // Number of tiles along x and y.
  get size() {
    const { heights, tiles } = this.task.world;
    return heights ? [heights.length, heights[0].length] : tiles ?? [8, 8];
  }

  resize(x, y) {
    this.task.world.tiles = [x, y];
    const { heights } = this.task.world;
    if (!heights) return;
    this.task.world.heights = Array.from({ length: x }, (_, i) =>
      Array.from({ length: y }, (_, j) => heights[i]?.[j] ?? 0));
  }

  // Raises or lowers a tile; the first time, the drawn terrain is kept.
  raise(scene, i, j, by) {
    const { world } = this.task;
    // Drawn walls are higher than a task's own levels may be.
    const heights = world.heights ??
      scene.heights.map((row) => row.map((level) => Math.min(3, level)));
    heights[i][j] = Math.max(0, Math.min(3, heights[i][j] + by));
    this.task.world = { seed: world.seed ?? 0, heights };
  }

  setPlayers(count) {
    const { players } = this.task;
    while (players.length > count) players.pop();
    while (players.length < count) {
      players.push({ goal: 'near(player1, player2)' });
    }
  }
}
