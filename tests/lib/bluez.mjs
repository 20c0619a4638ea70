// A system bus of the tests' own, and on it tests/sim/bluez.py: a bluetoothd with health devices.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { line, root, start, stop } from './station.mjs';

const policy = (socket) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=${socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow receive_sender="*"/><allow send_type="method_call"/></policy></busconfig>`;

export class Bluetooth {
  #next = 1;
  #waiting = new Map();

  // An error where this machine has no dbus-daemon, or no Python with D-Bus.
  static async begin({ monitors = false } = {}) {
    const self = new Bluetooth();
    try {
      await self.#begin(monitors);
      return self;
    } catch (error) {
      await self.end();
      throw error;
    }
  }

  async #begin(monitors) {
    this.dir = mkdtempSync(join(tmpdir(), 'nhipcau-bus-'));
    const config = join(this.dir, 'bus.conf');
    this.address = `unix:path=${join(this.dir, 'bus')}`;
    this.env = { DBUS_SYSTEM_BUS_ADDRESS: this.address };
    writeFileSync(config, policy(join(this.dir, 'bus')));
    this.bus = start('dbus-daemon', [`--config-file=${config}`, '--print-address', '--nofork', '--nopidfile']);
    await line(this.bus, /^unix:/);
    this.daemon = start('/usr/bin/python3', [join(root, 'tests/sim/bluez.py'), this.address],
      { stdio: ['pipe', 'pipe', 'pipe'] });
    await line(this.daemon, /ready/);
    createInterface({ input: this.daemon.stdout }).on('line', (text) => {
      const answer = JSON.parse(text);
      const waiting = this.#waiting.get(answer.re);
      this.#waiting.delete(answer.re);
      if (answer.error) waiting?.fail(new Error(answer.error));
      else waiting?.done(answer);
    });
    await this.do('start', { monitors });
  }

  do(what, fields = {}) {
    const id = this.#next++;
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done, fail });
      this.daemon.stdin.write(JSON.stringify({ id, do: what, ...fields }) + '\n');
    });
  }

  // The same bus at another address, where each connection waits so long for its first answer.
  async slow(seconds) {
    const path = join(this.dir, 'slow'), real = join(this.dir, 'bus');
    const slow = { env: { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${path}` }, connections: 0 };
    const door = createServer((client) => {
      slow.connections++;
      const bus = connect(real);
      for (const side of [client, bus]) side.on('error', () => {}).on('close', () => [client, bus].forEach((s) => s.destroy()));
      bus.pipe(client);
      setTimeout(() => client.pipe(bus), seconds * 1000).unref();
    });
    await new Promise((done) => door.listen(path, done));
    slow.end = () => door.close();
    return slow;
  }

  async end() {
    await stop(this.daemon);
    await stop(this.bus);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

// ---- Values, as the devices write them (all little-endian) ------------------------------------

const u16 = (n) => [n & 255, (n >> 8) & 255];
const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const time7 = (date = new Date()) =>
  [...u16(date.getFullYear()), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
// SFLOAT with an exponent from -8 to 7
const sfloat = (mantissa, exponent = 0) => u16(((exponent & 15) << 12) | (mantissa & 0xfff));

export const bloodPressure = (sys, dia, pulse, date) =>
  hex([0x06, ...sfloat(sys), ...sfloat(dia), ...sfloat(Math.round((sys + 2 * dia) / 3)), ...time7(date), ...sfloat(pulse)]);
export const oximetry = (spo2, pulse) => hex([0, ...sfloat(spo2), ...sfloat(pulse)]);
// Nonin's own service, big-endian: finger in, quality good.
export const nonin = (spo2, pulse, status = 0x14) => hex([10, status, 30, 0, 250, 0, 1, spo2, pulse >> 8, pulse & 255]);
export const temperature = (tenths) => hex([0x04, ...u16(tenths), 0, 0xff, 6]);
export const weight = (kg) => hex([0, ...u16(Math.round(kg * 200))]);
export const heartRate = (bpm) => hex([0x06, bpm]);
export const glucose = (sequence, mgdl, date) => hex([0x02, ...u16(sequence), ...time7(date), ...sfloat(mgdl, -5), 0x11]);
export const currentTime = (date) => hex([...time7(date), 1, 0, 0]);
