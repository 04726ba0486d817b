// The connection to the studio's server.

export class Link {
  constructor(token) {
    this.token = token;
    this.listeners = new Map();
    this.asking = new Map();
    this.open();
  }

  open() {
    const socket = new WebSocket(`ws://${location.host}/socket`);
    this.socket = socket;
    socket.onopen = () => this.send('hello', { token: this.token });
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      this.emit(message.type, message);
    };
    socket.onclose = (event) => {
      this.emit('closed', { reason: event.reason });
      // A wrong token stays wrong.
      if (event.code !== 1008) setTimeout(() => this.open(), 1500);
    };
  }

  get ready() { return this.socket.readyState === WebSocket.OPEN; }

  send(type, fields = {}) {
    if (this.ready) this.socket.send(JSON.stringify({ type, ...fields }));
  }

  // Calls a function for each message of a type; returns how to stop that.
  on(type, listener) {
    if (!this.listeners.has(type)) this.listeners.set(type, new Set());
    this.listeners.get(type).add(listener);
    return () => this.listeners.get(type).delete(listener);
  }

  emit(type, message) {
    for (const listener of [...(this.listeners.get(type) ?? [])]) {
      listener(message);
    }
  }

  // Sends a request and resolves with its answer, or rejects with its fault.
  // One of a type is under way at a time, so that answers find their requests.
  ask(type, fields, answer) {
    const before = this.asking.get(type) ?? Promise.resolve();
    const asked = before.catch(() => {}).then(() =>
      this.askNow(type, fields, answer));
    this.asking.set(type, asked);
    return asked;
  }

  askNow(type, fields, answer) {
    return new Promise((resolve, reject) => {
      const stops = [
        this.on(answer, (message) => { done(); resolve(message); }),
        this.on('error', (message) => {
          if (message.about !== type) return;
          done();
          reject(new Error(message.text));
        }),
        this.on('closed', () => { done(); reject(new Error('closed')); }),
      ];
      const done = () => stops.forEach((stop) => stop());
      this.send(type, fields);
    });
  }
}
