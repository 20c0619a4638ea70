// A sender and light viewers that do not decode (tests/bench/viewer.c), each a process of its own,
// and what the sender's processor time is. For benches.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { mean } from './figures.mjs';
import { buildDir, start, stop } from './station.mjs';

const ticks = Number(execFileSync('getconf', ['CLK_TCK']));
const bench = (name) => join(buildDir, 'tests/bench', name);

// Processor time of one process, s, to the nanosecond where the system tells it.
export function cpuSeconds(pid) {
  try {
    const sum = (file) => Number(readFileSync(file, 'utf8').split(' ')[0]) / 1e9;
    return execFileSync('ls', [`/proc/${pid}/task`], { encoding: 'utf8' }).trim().split('\n')
      .reduce((total, task) => total + sum(`/proc/${pid}/task/${task}/schedstat`), 0);
  } catch {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticks;
  }
}

// A process that is spoken to in lines of JSON.
class Lines {
  #waiting = [];

  constructor(command, args, heard) {
    this.child = start(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      let message;
      try { message = JSON.parse(line); } catch { return; }
      if (heard(message)) return;
      this.#waiting.shift()?.(message);
    });
  }

  get pid() { return this.child.pid; }
  tell(message) { this.child.stdin.write(`${JSON.stringify(message)}\n`); }
  ask(message) {
    this.tell(message);
    return new Promise((done) => { this.#waiting.push(done); });
  }

  end() { return stop(this.child); }
}

// Ours (bench-sender) and webrtcbin's program, to be told apart by how they speak.
const dialects = {
  ours: {
    command: bench('bench-sender'),
    add: (viewer) => ({ do: 'add', viewer }),
    answer: (viewer, sdp) => ({ viewer, answer: sdp }),
    candidate: (viewer, line) => ({ viewer, candidate: line }),
    offer: (message) => message.offer,
    line: (message) => message.candidate,
  },
  webrtcbin: {
    command: bench('webrtcbin-peer'),
    add: (viewer) => ({ type: 'start', viewer }),
    // It reads what concerns the transport in the media's section only.
    answer: (viewer, sdp) => ({
      type: 'answer', viewer,
      sdp: sdp.replace(/^a=mid:.*$/m, (mid) => [mid, ...sdp.match(/^a=(setup|fingerprint|ice-ufrag|ice-pwd):.*$/gm)].join('\r\n')),
    }),
    candidate: (viewer, line) => ({ type: 'candidate', viewer, line }),
    offer: (message) => (message.type === 'offer' ? message.sdp : undefined),
    line: (message) => (message.type === 'candidate' ? message.line : undefined),
  },
};

export class Viewers {
  #count = 0;

  // under: a command that runs the sender, as ['valgrind', …].
  constructor(kind, args, under = []) {
    const speak = (this.speak = dialects[kind]);
    const [command, ...before] = [...under, speak.command];
    this.sender = new Lines(command, [...before, ...args], (message) => {
      const [offer, line] = [speak.offer(message), speak.line(message)];
      if (offer !== undefined) this.viewers.tell({ viewer: message.viewer, offer });
      else if (line !== undefined) this.viewers.tell({ viewer: message.viewer, candidate: line });
      else return message.type === 'ready';
      return true;
    });
    this.viewers = new Lines(bench('bench-viewer'), [], (message) => {
      if (message.answer !== undefined) this.sender.tell(speak.answer(message.viewer, message.answer));
      else if (message.candidate !== undefined) this.sender.tell(speak.candidate(message.viewer, message.candidate));
      else return false;
      return true;
    });
  }

  // So many viewers in all; resolves when all are connected and frames come.
  async grow(count) {
    while (this.#count < count) this.sender.tell(this.speak.add(`v${this.#count++}`));
    const end = Date.now() + 20_000;
    for (;;) {
      const { connected } = await this.viewers.ask({ do: 'stats' });
      if (connected === count) return;
      if (Date.now() > end) throw new Error(`${connected} of ${count} viewers are connected`);
      await pause(100);
    }
  }

  // {cores, packets, frames}: of the sender's processor time, and what arrived, each a second.
  async measure(seconds) {
    const [before, cpu, at] = [await this.viewers.ask({ do: 'stats' }), cpuSeconds(this.sender.pid), performance.now()];
    await pause(seconds * 1000);
    const [after, cpu2, at2] = [await this.viewers.ask({ do: 'stats' }), cpuSeconds(this.sender.pid), performance.now()];
    const time = (at2 - at) / 1000;
    return {
      cores: (cpu2 - cpu) / time,
      packets: (after.packets - before.packets) / time,
      frames: (after.frames - before.frames) / time,
    };
  }

  async end() {
    await this.viewers.end();
    await this.sender.end();
  }
}

// Least squares through (x, y).
export function slope(points) {
  const [mx, my] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  return points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0)
    / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}
