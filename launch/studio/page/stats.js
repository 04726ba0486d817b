// Measures a game: arriving states, and the time from a key to the picture.
// Turning is shown at once; for walking, the picture that counts is the first
// after the state that the game computed with the key.

const KEPT = 500;

function median(values) {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)]);
}

export class Stats {
  begin(steps) {
    Object.assign(this, { steps, states: 0, dropped: 0, late: 0, at: null,
      first: 0, end: 0, waiting: [], shown: [], walks: [], looks: [],
      turning: 0, frames: 0 });
  }

  // Records the time of a key press, reported by the message of this number.
  asked(number, pressed, isLook) {
    if (!pressed) return;
    if (isLook) this.turning ||= pressed;
    else this.waiting.push([number, pressed]);
  }

  arrived(frame, now) {
    const at = frame.k * this.steps + frame.t;
    if (this.at !== null && at > this.at + 1) this.dropped += at - this.at - 1;
    this.at = at;
    // The first state arrives before time passes.
    if (at === 0) return;
    this.states += 1;
    this.first ||= now;
    this.end = now;
    // The picture that is painted next shows the step after the key.
    this.shown.push(...this.waiting.filter(([number]) => number <= frame.n));
    this.waiting = this.waiting.filter(([number]) => number > frame.n);
  }

  painted(now) {
    if (this.states) this.frames += 1;
    for (const [, pressed] of this.shown ?? []) this.walks.push(now - pressed);
    if (this.turning) this.looks.push(now - this.turning);
    [this.shown, this.turning] = [[], 0];
    this.walks = this.walks?.slice(-KEPT);
    this.looks = this.looks?.slice(-KEPT);
  }

  summary() {
    const seconds = Math.max(.001, (this.end - this.first) / 1000);
    return {
      seconds: Math.round(seconds),
      states_per_s: +(Math.max(0, this.states - 1) / seconds).toFixed(2),
      dropped_states: this.dropped,
      late_steps: this.late,
      frames_per_s: +(this.frames / seconds).toFixed(1),
      key_to_picture_ms: median([...this.walks, ...this.looks]),
      walk_ms: median(this.walks),
      look_ms: median(this.looks),
      keys: this.walks.length + this.looks.length,
    };
  }

  text() {
    const found = this.summary();
    return `${found.states_per_s} states/s, ${found.dropped_states} dropped; ` +
      `${found.frames_per_s} pictures/s; key to picture ` +
      `walking ${found.walk_ms ?? '–'} ms, turning ${found.look_ms ?? '–'} ms ` +
      `(medians of ${found.keys} keys)`;
  }
}
