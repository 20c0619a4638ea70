// A crowd of hostile connections (tests/sim/hostile.mjs), and what a program's memory is meanwhile.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from './browser.mjs';
import { root, start, stop } from './station.mjs';

export class Crowd {
  said = { begun: 0, here: 0, tried: 0, out: 0, answered: 0, refused: 0 };

  constructor(port, count, more = []) {
    this.count = count;
    this.child = start(process.execPath, [join(root, 'tests/sim/hostile.mjs'), '--port', String(port), '--count', String(count), ...more]);
    this.child.stderr.on('data', (bytes) => { this.errors = ((this.errors ?? '') + bytes).slice(-4000); });
    createInterface({ input: this.child.stdout }).on('line', (line) => { this.said = JSON.parse(line); });
  }

  // All have tried at least once.
  gathered(seconds = 90) {
    return eventually(async () => {
      if (this.child.exitCode !== null) throw new Error(`the crowd ended: ${this.errors}`);
      return this.said.begun >= this.count;
    }, seconds, 'the crowd is there');
  }

  end() { return stop(this.child, 2); }
}

// MiB. children: of its workers, too.
export function memoryOf(pid, children = false) {
  const own = (one) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))[1]) / 1024;
  const others = children ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean) : [];
  return [pid, ...others].map(own).reduce((sum, one) => sum + one, 0);
}
