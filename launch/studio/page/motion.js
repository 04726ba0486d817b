// Poses between the states of the simulation, which come every 2/15 s.

export const STEP = 2 / 15;

const mix = (a, b, s) => a + (b - a) * s;

export function turned(angle) {
  return Math.atan2(Math.sin(angle), Math.cos(angle));
}

// Returns the level of inner walls: the highest, if it exceeds others by three.
export function wallLevel(heights) {
  const levels = [...new Set(heights.flat())].sort((a, b) => b - a);
  return levels[0] - (levels[1] ?? levels[0]) >= 3 ? levels[0] : Infinity;
}

// Returns a pose between two frames; s is 0 at the first, 1 at the second.
export function blend(a, b, s) {
  if (!a || a.k !== b.k || s >= 1) return b;
  const before = new Map(a.o.map((o) => [o[0], o]));
  return {
    ...b,
    p: b.p.map((q, i) => {
      const p = a.p[i];
      return [mix(p[0], q[0], s), mix(p[1], q[1], s), mix(p[2], q[2], s),
        p[3] + turned(q[3] - p[3]) * s, mix(p[4], q[4], s), q[5], q[6]];
    }),
    o: b.o.map((q) => {
      const p = before.get(q[0]);
      if (!p || p[1] !== q[1]) return q;
      // A quaternion and its negative are the same rotation.
      let dot = 0;
      for (let i = 5; i < 9; i++) dot += p[i] * q[i];
      const sign = dot < 0 ? -1 : 1;
      return q.map((value, i) =>
        i < 2 ? value : mix(i < 5 ? p[i] : sign * p[i], value, s));
    }),
  };
}

// The motion of a live game, from the shown pose to the newest state.
export class Motion {
  constructor() { this.from = null; this.to = null; this.since = 0; }

  push(frame, now) {
    const cut = !this.to || this.to.k !== frame.k;
    this.from = cut ? frame : this.at(now);
    this.to = frame;
    this.since = now;
  }

  at(now) {
    return blend(this.from, this.to, (now - this.since) / (STEP * 1000));
  }
}
