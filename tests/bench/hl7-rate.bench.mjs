// HL7 messages a second from ten sockets that each wait for their ACK, parse to durable, beside python3-hl7's parser

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../lib/figures.mjs';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { buildDir, runStation, stop } from '../lib/station.mjs';

const { values } = parseArgs({ options: {
  messages: { type: 'string', default: '20000' }, runs: { type: 'string', default: '3' },
  rows: { type: 'string', default: '7' }, sockets: { type: 'string', default: '10' } } });
const ROOM = '00A0370000000001';
const round = (value) => Math.round(value);

// The same message, parsed in memory and nothing else: no socket, no answer, nothing kept.
const PARSER = `
import sys, time, hl7
message = sys.stdin.read().replace("\\n", "\\r")
start = time.process_time(); n = 0
while time.process_time() - start < 3:
    parsed = hl7.parse(message)
    for obx in parsed.segments("OBX"):
        float(str(obx[5]))
    n += 1
print(n / (time.process_time() - start))
`;
const rows = Array.from({ length: Number(values.rows) }, (_, i) =>
  `OBX|${i + 1}|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456|96|262688^MDC_DIM_PERCENT^MDC|90-100||||R|||20261120090312+0700`);
const message = [
  'MSH|^~\\&|MINDRAY_VS_SERIES^00A0370000000001^EUI-64|TYT|||20261120090313+0700||ORU^R01^ORU_R01|1|P|2.6|||NE|AL||UNICODE UTF-8',
  'PID|||', 'PV1||I|^^TYT&1', 'OBR|1|||182777000^monitoring of patient^SCT|||20261120090312+0700', ...rows].join('\n');
// Debian's own python has the package, whatever stands first in PATH.
const parser = () => Number(execFileSync('/usr/bin/python3', ['-c', PARSER], { input: message, encoding: 'utf8' }));

const place = await makePlace('hl7-rate', { config: `[device monitor]\nid=${ROOM}\n` });
const station = await runStation(place);
const page = await signIn(place, 'lan');
await startConsultation(page);
const all = { ours: [], python: [], p99_ms: [] };
for (let i = 0; i < Number(values.runs); i++) {
  const load = JSON.parse(execFileSync(join(buildDir, 'tests/bench/bench-hl7-load'), ['--port', String(place.ports.mllp),
    '--messages', values.messages, '--rows', values.rows, '--sockets', values.sockets, '--device', ROOM,
    '--from', String(i * Number(values.messages))], { encoding: 'utf8' }));
  all.ours.push(load.messages / load.seconds);
  all.p99_ms.push(load.p99_ms);
  all.python.push(parser());
}
page.close();
await stop(station);
place.remove();
const [ours, peer] = [median(all.ours), median(all.python)];
console.log(JSON.stringify({
  bench: 'hl7-rate', ours: round(ours), peer: round(peer), peer_name: 'python3-hl7, parsing alone', unit: 'messages/s',
  ratio: Math.round(ours / peer * 100) / 100, better: 'higher',
  all: { ours: all.ours.map(round), python: all.python.map(round), p99_ms: all.p99_ms },
}));
process.exit(0);
