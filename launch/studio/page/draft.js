// A task that is being edited: its JSON, with one entry for each object and
// with the hidden parts listed for each player.

const EMPTY = {
  format: 'adaland.task/2', name: 'my task', world: { seed: 0, tiles: [8, 8] },
  objects: [], players: [{ goal: 'near(player1, black cube)' }], rules: [],
  hide: { rules: [], objects: [], predicates: [] }, trials: 4,
  trial_seconds: 10,
};

const MOST = 24; // Objects of a task.

export class Draft {
  constructor(task = EMPTY) {
    if (!Array.isArray(task?.objects) || !task.players?.[0]) {
      throw new Error('a task has a list of objects and one of players');
    }
    this.task = structuredClone(task);
    this.task.world ??= {};
    this.task.rules ??= [];
    this.task.objects = this.task.objects.flatMap((spec) => {
      const count = spec.count ?? Math.max(1, spec.at?.length ?? 1);
      // A link from somebody else could fill the memory.
      if (!(count <= MOST)) {
        throw new Error(`${count} of ${spec.type}, allowed: at most ${MOST}`);
      }
      return Array.from({ length: count }, (_, i) => ({
        type: spec.type, at: spec.at?.[i] ?? null,
        frozen: spec.frozen ?? false }));
    });
    const { hide = {}, players } = this.task;
    const each = hide.player1 || hide.player2;
    this.task.hide = players.map((_, i) => ({
      rules: [], objects: [], predicates: [],
      ...each ? hide[`player${i + 1}`] : structuredClone(hide) }));
  }

  get text() { return JSON.stringify(this.json); }

  // The task in the form of a task file.
  get json() {
    const { hide } = this.task;
    const isSame = hide.every((one) =>
      JSON.stringify(one) === JSON.stringify(hide[0]));
    return { ...this.task,
      objects: this.task.objects.map((o) => ({
        type: o.type, frozen: o.frozen, ...o.at ? { at: [o.at] } : {} })),
      hide: isSame ? hide[0] : Object.fromEntries(
        hide.map((one, i) => [`player${i + 1}`, one])) };
  }

  // The parts hidden from player 1; edits apply to all players.
  get hide() { return this.task.hide[0]; }

  // Hides a word or number of a field from all players, or shows it again.
  setHidden(field, value, isHidden) {
    this.changeHidden(field, (values) =>
      [...values.filter((v) => v !== value), ...isHidden ? [value] : []]);
  }

  changeHidden(field, change) {
    for (const one of this.task.hide) one[field] = change(one[field]);
  }

  removeRule(rule) {
    this.task.rules.splice(rule, 1);
    this.changeHidden('rules', (numbers) => numbers
      .filter((n) => n !== rule + 1).map((n) => n > rule + 1 ? n - 1 : n));
  }

  // Number of tiles along x and y.
  get size() {
    const { heights, tiles } = this.task.world;
    return heights ? [heights.length, heights[0].length] : tiles ?? [8, 8];
  }

  resize(...size) {
    const [x, y] = size.map((n) => Math.max(2, Math.min(20, Math.round(n))));
    this.task.world.tiles = [x, y];
    const { heights } = this.task.world;
    if (!heights) return;
    this.task.world.heights = Array.from({ length: x }, (_, i) =>
      Array.from({ length: y }, (_, j) => heights[i]?.[j] ?? 0));
  }

  // Raises or lowers a tile; the first edit adopts the drawn terrain.
  raise(scene, i, j, by) {
    const { world } = this.task;
    // Drawn walls are higher than a task's own levels may be.
    const heights = world.heights ??
      scene.heights.map((row) => row.map((level) => Math.min(3, level)));
    heights[i][j] = Math.max(0, Math.min(3, heights[i][j] + by));
    this.task.world = { seed: world.seed ?? 0, heights };
  }

  setPlayers(count) {
    const { players, hide } = this.task;
    players.splice(count);
    hide.splice(count);
    while (players.length < count) {
      players.push({ goal: 'near(player1, player2)' });
      hide.push(structuredClone(hide[0]));
    }
  }
}
