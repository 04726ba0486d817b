// The connection to the studio's server.

const REFUSED = 1008; // Policy violation (RFC 6455, section 7.4.1).
const MOST_TRIES = 2;

export class Link {
  constructor(token) {
    this.token = token;
    this.listeners = new Map();
    this.asking = new Map();
    this.isRefused = false;
    this.open();
  }

  open() {
    const socket = new WebSocket(`ws://${location.host}/socket`);
    this.socket = socket;
    socket.onopen = () => {
      this.send('hello', { token: this.token });
      this.emit('opened');
    };
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      this.emit(message.type, message);
    };
    socket.onclose = (event) => {
      // Connecting again would not help against a wrong token.
      this.isRefused = event.code === REFUSED;
      this.emit('closed', { reason: event.reason });
      if (!this.isRefused) setTimeout(() => this.open(), 1500);
    };
  }

  get ready() { return this.socket.readyState === WebSocket.OPEN; }

  send(type, fields = {}) {
    if (this.ready) this.socket.send(JSON.stringify({ type, ...fields }));
  }

  // Calls a function for each message of a type; returns a function to stop it.
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

  // Sends a request and resolves with its answer, or rejects with its error.
  // Requests of one type wait for each other, so that answers can be matched.
  ask(type, fields, answer) {
    const before = this.asking.get(type) ?? Promise.resolve();
    const asked = before.catch(() => {}).then(() =>
      this.askNow(type, fields, answer));
    this.asking.set(type, asked);
    return asked;
  }

  // A request waits for a connection, and is sent again on the next one if it
  // was not answered; MOST_TRIES times in all, as it may end the connections.
  askNow(type, fields, answer) {
    return new Promise((resolve, reject) => {
      let tries = 0;
      const send = () => {
        if (!this.ready) return;
        tries += 1;
        this.send(type, fields);
      };
      const giveUp = (text) => { done(); reject(new Error(text)); };
      const lost = () => {
        if (this.isRefused) giveUp('the studio refuses this page');
        else if (tries === MOST_TRIES) giveUp('the connection was lost');
      };
      const stops = [
        this.on(answer, (message) => { done(); resolve(message); }),
        this.on('error', (message) => {
          if (message.about === type) giveUp(message.text);
        }),
        this.on('opened', send),
        this.on('closed', lost),
      ];
      const done = () => stops.forEach((stop) => stop());
      send();
      if (this.isRefused) lost();
    });
  }
}
