// MB a second that `record verify` checks with the key open, of one processor's time

import { parseArgs } from 'node:util';
import { median } from '../lib/figures.mjs';
import { benchProgram, result, withFolder } from '../lib/records-bench.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, megabytes: { type: 'string', default: '600' } } });
const { rates, walls } = withFolder('/dev/shm', (folder) => JSON.parse(benchProgram('records', ['verify', folder, values.rounds, values.megabytes])));
result({
  bench: 'verify-rate', ours: Math.round(median(rates)), peer: null, peer_name: null, unit: 'MB/s a core', ratio: null, better: 'higher',
  all: { rates: rates.map(Math.round), walls: walls.map(Math.round) },
});
