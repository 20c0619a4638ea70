// A station with one camera, whose doctor lets in whoever asks; for benches that put it into a network
// namespace. Arguments: a folder, an address beside localhost to serve the pages at. Prints one line of
// JSON, {"link","ca"}, and runs until SIGTERM.

import { Console } from '../lib/console.mjs';
import { runStation, setUp, stop } from '../lib/station.mjs';

const [, , dir, address] = process.argv;
const place = await setUp(dir, { listen: [address], names: [address], config: '[camera room]\naddress=test:moving\n' });
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
console.log(JSON.stringify({ link: link.replace('localhost', address), ca: place.ca }));
process.once('SIGTERM', async () => {
  doctor.close();
  await stop(station);
  process.exit(0);
});
