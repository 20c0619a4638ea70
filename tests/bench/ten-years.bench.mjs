// ms to open, list and search the records of ten years, 50,000 consultations

import { parseArgs } from 'node:util';
import { median } from '../lib/figures.mjs';
import { benchProgram, result, withFolder } from '../lib/records-bench.mjs';

const { values } = parseArgs({ options: {
  consultations: { type: 'string', default: '50000' }, runs: { type: 'string', default: '5' }, folder: { type: 'string' } } });
withFolder(values.folder, (folder) => {
  const state = benchProgram('ten-years', ['make', folder, values.consultations]).split('\n').at(-1);
  const runs = Array.from({ length: Number(values.runs) }, () => JSON.parse(benchProgram('ten-years', ['measure', state])));
  const line = (what, times, more = {}) => result({
    bench: 'ten-years', what, ours: median(times), peer: null, peer_name: null, unit: 'ms', ratio: null, better: 'lower', all: times, ...more });
  line('open: keys, records and the station itself at the start', runs.map(({ vault, store, station }) => Math.round(vault + store + station)),
    { keys: runs.map(({ vault }) => vault), records: runs.map(({ store }) => store), station: runs.map(({ station }) => station) });
  line('open: one record', runs.map(({ record }) => record));
  line('list: the newest 50', runs.map(({ list }) => list), { listed: runs[0].listed });
  line('search: a patient by number', runs.map(({ search }) => search), { found: runs[0].found });
  line('a new consultation', runs.map(({ begin }) => begin));
  line('beside the work: every key checked, in both files and in the log', runs.map(({ check }) => Math.round(check)));
});
