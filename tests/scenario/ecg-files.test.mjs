// Real ECG files, sample by sample, against readers that are not ours: EDFlib, dcmdump, xmllint, od, and
// the checksums that headers of WFDB state. What each file gave is printed.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../lib/station.mjs';

const data = join(process.env.NHIPCAU_SHARED ?? join(root, '../shared'), 'data');
const build = process.env.NHIPCAU_BUILD ?? join(root, 'build');
const there = existsSync(data);
const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'] });

// {head, streams: {wave: {rate, leads: {name: samples}}}}
function decode(kind, file) {
  const [head, ...blocks] = run(join(build, 'station/nhipcau'), 'device', 'decode', kind, join(data, file))
    .trim().split('\n').map((line) => JSON.parse(line));
  const streams = {};
  for (const { wave, rate, leads } of blocks) {
    streams[wave] ??= { rate, leads: {}, order: leads.map(({ name }) => name) };
    for (const { name, samples } of leads) (streams[wave].leads[name] ??= []).push(...samples);
  }
  return { head, streams };
}

function same(actual, expected, what) {
  assert.equal(actual.length, expected.length, `${what}: number of samples`);
  const at = actual.findIndex((value, i) => value !== expected[i]);
  assert.equal(at, -1, `${what}, sample ${at}: ${actual[at]}, not ${expected[at]}`);
}

const count = ({ streams }) => Object.values(streams).reduce((sum, { leads }) =>
  sum + Object.values(leads).reduce((all, { length }) => all + length, 0), 0);

function check(name, reader, body) {
  test(`${name} against ${reader}`, { skip: !there && '../shared/data is not here' }, (t) => {
    const result = body();
    t.diagnostic(`${name.padEnd(44)} ${String(count(result)).padStart(8)} samples of ` +
      `${Object.values(result.streams).map(({ order, rate }) => `${order.length} × ${rate[0] / rate[1]} Hz`).join(', ')} = ${reader}`);
  });
}

// ---- aECG and SCP-ECG -------------------------------------------------------------------------

// All samples of the document, in its order.
const numbers = (file) =>
  run('xmllint', '--xpath', "//*[local-name()='digits']/text()", join(data, file)).trim().split(/\s+/).map(Number);

for (const file of ['aecg/minimum_aecg.xml', 'aecg/subject1_0.xml'])
  check(file, 'xmllint', () => {
    const result = decode('aecg', file);
    const all = Object.values(result.streams).flatMap(({ order, leads }) => order.flatMap((name) => leads[name]));
    same(all, numbers(file), file);
    return result;
  });

// The file was made of that document: same patient, same samples, packed by Huffman and differences.
check('scp-ecg/Example.scp', 'xmllint (aecg/subject1_0.xml)', () => {
  const result = decode('scp', 'scp-ecg/Example.scp');
  const { order, leads } = result.streams.ecg;
  assert.equal(order.length, 12);
  same(order.flatMap((name) => leads[name]), numbers('aecg/subject1_0.xml').slice(0, 12 * 5000), 'Example.scp');
  return result;
});

// ---- EDF and BDF ------------------------------------------------------------------------------

const edfDump = join(build, 'tests/sim/edf-dump');
for (const file of ['edf/test_edfann.edf', 'edf/test_generator.bdf', 'edf/test_generator_datarec_generator_2.bdf'])
  check(file, 'EDFlib', () => {
    const result = decode('edf', file);
    const theirs = run(edfDump, join(data, file)).trim().split('\n').map((line) => JSON.parse(line));
    const { annotations } = theirs.pop();
    const ours = Object.values(result.streams).flatMap(({ leads }) => Object.entries(leads));
    assert.deepEqual(new Set(ours.map(([name]) => name)), new Set(theirs.map(({ label }) => label)));
    for (const { label, samples } of theirs) same(ours.find(([name]) => name === label)[1], samples, label);
    assert.equal(result.head.annotations.length, annotations, 'annotations');
    return result;
  });

// ---- DICOM ------------------------------------------------------------------------------------

check('dicom/waveform_ecg.dcm', 'dcmdump', () => {
  const file = 'dicom/waveform_ecg.dcm';
  const result = decode('dicom', file);
  const dumped = [...run('dcmdump', '+L', '+P', '5400,1010', join(data, file)).matchAll(/OW ([0-9a-f\\]+)/g)]
    .map(([, words]) => words.split('\\').map((word) => (parseInt(word, 16) << 16) >> 16));
  const streams = Object.values(result.streams);
  assert.equal(dumped.length, streams.length);
  for (const [i, { order, leads }] of streams.entries())
    for (const [channel, name] of order.entries())
      same(leads[name], dumped[i].filter((_, at) => at % order.length === channel), `group ${i + 1} ${name}`);
  return result;
});

// ---- WFDB -------------------------------------------------------------------------------------

// What the header states of each signal: {file, format, skew, initial, checksum}.
function stated(file) {
  const lines = readFileSync(join(data, file), 'utf8').split('\n').filter((line) => line.trim() && !line.startsWith('#'));
  return lines.slice(1).map((line) => {
    const [name, format, , , , initial, checksum] = line.trim().split(/\s+/);
    return { name, format, skew: Number(format.match(/:(\d+)/)?.[1] ?? 0), initial: Number(initial), checksum: Number(checksum) };
  });
}
const sum = (samples) => (samples.reduce((all, value) => (all + value) & 0xffff, 0) << 16) >> 16;

for (const [file, order] of [['100', null], ['100-no-len', null], ['a103l', null], ['binformats', null], ['s0010_re', null],
  ['03700181', ['MCL1', 'ABP', 'RESP']]])
  check(`wfdb/${file}.hea`, 'the checksums of its header', () => {
    const result = decode('wfdb', `wfdb/${file}.hea`);
    const leads = Object.assign({}, ...Object.values(result.streams).map((stream) => stream.leads));
    const names = order ?? Object.values(result.streams)[0].order;
    for (const [i, { skew, initial, checksum }] of stated(`wfdb/${file}.hea`).entries()) {
      const samples = leads[names[i]];
      if (skew > 0) continue; // its first samples stand before the others begin; see below
      assert.equal(samples[0], initial, `${names[i]}: first sample`);
      assert.equal(sum(samples), checksum, `${names[i]}: checksum`);
    }
    return result;
  });

check('wfdb/s0010_re.hea', 'od', () => {
  const result = decode('wfdb', 'wfdb/s0010_re.hea');
  const { order, leads } = result.streams.ecg;
  for (const [name, from, signals] of [['s0010_re.dat', 0, 12], ['s0010_re.xyz', 12, 3]]) {
    const words = run('od', '-An', '-v', '-td2', join(data, 'wfdb', name)).trim().split(/\s+/).map(Number);
    for (let i = 0; i < signals; i++)
      same(leads[order[from + i]], words.filter((_, at) => at % signals === i), order[from + i]);
  }
  return result;
});

// Six samples of twelve bits a frame; the last is four frames late, so it ends four frames early.
check('wfdb/03700181.hea', 'its bytes, shifted by the skew', () => {
  const result = decode('wfdb', 'wfdb/03700181.hea');
  const bytes = readFileSync(join(data, 'wfdb/03700181.dat'));
  const late = [];
  for (let at = 6; at < bytes.length; at += 9) {
    const value = bytes[at + 2] | (bytes[at + 1] & 0xf0) << 4;
    late.push(value === 0x800 ? null : value >= 0x800 ? value - 4096 : value);
  }
  same(result.streams.wave.leads.RESP, [...late.slice(4), null, null, null, null], 'RESP');
  return result;
});
