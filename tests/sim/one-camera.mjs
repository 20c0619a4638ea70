// A station with one camera, whose doctor lets in whoever asks; for benches that put it into a network
// namespace. Arguments: a folder, an address beside localhost to serve the pages at; "waves": a monitor sends an
// ECG, too, whose V6 is a ramp (wave-align.mjs). Prints one line of JSON, {"link","ca"}, with waves "began", and runs
// until SIGTERM.

import { Console } from '../lib/console.mjs';
import { ecg, WaveMonitor } from '../lib/ecg.mjs';
import { runStation, setUp, stop } from '../lib/station.mjs';
import { ramp } from '../lib/wave-align.mjs';

const [, , dir, address, waves] = process.argv;
const DEVICE = '0004A3FFFE5D0001';
const place = await setUp(dir, { listen: [address], names: [address],
  config: `[camera room]\naddress=test:moving\n${waves ? `\n[device monitor]\nid=${DEVICE}\n` : ''}` });
const station = await runStation(place);
station.stdout.resume();
station.stderr.resume();
const doctor = await Console.connect(place);
await doctor.ask('sign-in', { user: place.users[0].id, pin: place.pin });
await doctor.ask('consultation.start', { mode: 3, reason: 'bench', patient: { unknown: true } });
const admitted = new Set();
doctor.on('message', ({ consultation }) => {
  for (const { guest, state } of consultation?.guests ?? [])
    if (state === 'lobby' && !admitted.has(guest)) {
      admitted.add(guest);
      doctor.ask('guest.admit', { guest }).catch(() => {});
    }
});
await doctor.stateWhere((state) => state.sources.some((source) => source.state === 'running'));
const { link } = await doctor.ask('invite.create', { role: 'specialist', name: 'bench' });
const monitor = waves && new WaveMonitor(place.ports.mllp, {
  device: DEVICE, windowMs: 40, value: (name, t) => (name === 'V6' ? ramp(t) : ecg(t, name)),
  signals: ['I', 'II', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'].map((name) => ({ name, rate: 500, step: 0.0025 })),
});
await monitor?.start();
console.log(JSON.stringify({ link: link.replace('localhost', address), ca: place.ca, began: monitor?.began }));
process.once('SIGTERM', async () => {
  monitor?.stop();
  doctor.close();
  await stop(station);
  process.exit(0);
});
