// MB of a processor's second through the segment writer into memory, beside `openssl speed` AES-256-GCM at 16 KiB

import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { median } from '../lib/figures.mjs';
import { benchProgram, hundredth, result, withFolder } from '../lib/records-bench.mjs';

const { values } = parseArgs({ options: {
  runs: { type: 'string', default: '3' }, rounds: { type: 'string', default: '7' }, fragment: { type: 'string', default: String(256 * 1024) } } });

// "+F:22:AES-256-GCM:2693460000.00": bytes of a processor's second (as openssl counts without -elapsed), so that a busy machine does
// not tell another ratio; by the clock in `all`.
const openssl = () => {
  const out = execFileSync('openssl', ['speed', '-mr', '-seconds', '2', '-bytes', '16384', '-evp', 'aes-256-gcm'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return Number(out.match(/^\+F:.*:([\d.]+)$/m)[1]) / 1e6;
};
const all = { ours: [], openssl: [], clock: [] };
for (let i = 0; i < Number(values.runs); i++) {
  all.openssl.push(openssl());
  const { rates, processor } = withFolder('/dev/shm', (folder) => JSON.parse(benchProgram('records', ['media', folder, values.rounds, values.fragment])));
  all.ours.push(median(processor));
  all.clock.push(median(rates));
}
const [ours, peer] = [median(all.ours), median(all.openssl)].map(Math.round);
result({
  bench: 'seal-media', ours, peer, peer_name: 'openssl speed aes-256-gcm, 16 KiB', unit: 'MB/s a core',
  ratio: hundredth(median(all.ours.map((rate, i) => rate / all.openssl[i]))), better: 'higher',
  all: { ours: all.ours.map(Math.round), openssl: all.openssl.map(Math.round), clock: all.clock.map(Math.round) },
});
