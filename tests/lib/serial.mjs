// A device at the end of a serial line: tests/sim/serial.c and its commands.

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { line, sim, start, stop } from './station.mjs';

export async function serialDevice(kind, link, args = []) {
  // link null: not a line; args say where.
  const child = start(sim('sim-serial'), ['--kind', kind, ...(link ? ['--link', link] : []), ...args],
    { stdio: ['pipe', 'pipe', 'pipe'] });
  await line(child, /^ready /);
  const answers = createInterface({ input: child.stdout });
  return {
    link, child,
    // The device does it: "finger out", "unplug" …
    async tell(command) {
      const answered = once(answers, 'line');
      child.stdin.write(`${command}\n`);
      const [answer] = await answered;
      if (answer !== 'ok') throw new Error(`sim-serial does not know "${command}"`);
    },
    end: () => stop(child),
  };
}
