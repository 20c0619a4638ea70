// rows a second into the sealed store, 20 a transaction, beside the same rows into plain SQLite

import { parseArgs } from 'node:util';
import { median } from '../lib/figures.mjs';
import { benchProgram, hundredth, result, withFolder } from '../lib/records-bench.mjs';

const { values } = parseArgs({ options: {
  rounds: { type: 'string', default: '9' }, transactions: { type: 'string', default: '300' }, folder: { type: 'string' } } });
const { sealed, plain } = withFolder(values.folder, (folder) => JSON.parse(benchProgram('records', ['rows', folder, values.rounds, values.transactions])));
const [ours, peer] = [median(sealed), median(plain)].map(Math.round);
result({
  bench: 'seal-rows', ours, peer, peer_name: 'plain SQLite', unit: 'rows/s', ratio: hundredth(median(sealed.map((rate, i) => rate / plain[i]))),
  better: 'higher', all: { sealed: sealed.map(Math.round), plain: plain.map(Math.round) },
});
