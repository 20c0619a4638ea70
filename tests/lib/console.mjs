// A console without a screen: speaks docs/protocol.md to a real station over its WebSocket.

import { readFileSync } from 'node:fs';
import { EventEmitter } from 'node:events';
import WebSocket from 'ws';
import { lookup } from './localhost.mjs';

export class Console extends EventEmitter {
  #socket;
  #next = 1;
  #waiting = new Map();
  state = null;
  hello = null;

  // path: "/ws/console" or "/ws/join"
  static async connect(place, path = '/ws/console', options = {}) {
    const self = new Console();
    self.#socket = new WebSocket(`${place.origin.replace('https', 'wss')}${path}`, 'nhipcau.1', {
      ca: readFileSync(place.ca), origin: place.origin, lookup, ...options,
    });
    self.#socket.on('message', (data) => self.#receive(JSON.parse(data.toString())));
    self.#socket.on('close', (code) => {
      for (const { fail } of self.#waiting.values()) fail(new Error(`connection closed (${code})`));
      self.emit('close', code);
    });
    const hello = self.until((m) => m.type === 'hello');
    hello.catch(() => {}); // a connection that is refused has another reason to give
    await new Promise((done, fail) => {
      self.#socket.once('open', done);
      self.#socket.once('error', fail);
      self.#socket.once('unexpected-response', (_, response) => fail(new Error(`HTTP ${response.statusCode}`)));
    });
    self.hello = await hello;
    return self;
  }

  #receive(message) {
    if (message.type === 'state') this.state = message;
    if (message.re !== undefined) {
      const waiting = this.#waiting.get(message.re);
      this.#waiting.delete(message.re);
      if (message.type === 'ok') waiting?.done(message);
      else waiting?.fail(Object.assign(new Error(`${message.code}: ${message.text?.en}`), message));
    }
    this.emit('message', message);
  }

  send(type, fields = {}) { this.#socket.send(JSON.stringify({ type, ...fields })); }
  raw(text) { this.#socket.send(text); }
  close() { this.#socket.close(); }

  ask(type, fields = {}) {
    const id = this.#next++;
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done, fail });
      this.send(type, { id, ...fields });
    });
  }

  // The next message that fits, within some seconds of a machine alone (three times as many are waited).
  until(fits, seconds = 15) {
    return new Promise((done, fail) => {
      const stop = (f) => { clearTimeout(timer); this.off('message', look); f(); };
      const timer = setTimeout(() => stop(() => fail(new Error('no such message in time'))), 3 * seconds * 1000);
      const look = (message) => { if (fits(message)) stop(() => done(message)); };
      this.on('message', look);
    });
  }

  // The state that fits, now or later.
  async stateWhere(fits, seconds = 15) {
    if (this.state && fits(this.state)) return this.state;
    return this.until((m) => m.type === 'state' && fits(m), seconds);
  }
}
