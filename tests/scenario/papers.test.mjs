// The papers of a consultation: minutes, referral, prescription, FHIR Bundle. Read back by tools that are not
// ours: poppler for the PDF, zbar for the QR code, R4's schema and other packages for the Bundle.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { judgeBundle } from '../lib/fhir.mjs';
import { collisions, folder, fontsOf, makePapers, note, pagesOf, pictures, row, still, svgOf, textOf, wholeCase, wordsOf } from '../lib/papers.mjs';

let dir, shots, whole;
before(() => {
  dir = folder();
  shots = pictures(dir);
  whole = makePapers(dir, 'whole', wholeCase(shots));
});
after(() => rmSync(dir, { recursive: true, force: true }));

const flat = (text) => text.replace(/\s+/g, ' ');
const sound = (bundle) => assert.deepEqual(judgeBundle(bundle), { schema: [], package: [], invariants: [], references: [], units: [] });
const every = (bundle, type) => bundle.entry.map(({ resource }) => resource).filter(({ resourceType }) => resourceType === type);

test('minutes say everything, as correct Vietnamese text', (t) => {
  const text = flat(textOf(whole.file('minutes.pdf')));
  assert.equal(text, text.normalize('NFC'));
  for (const said of ['CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM', 'Độc lập - Tự do - Hạnh phúc', 'BIÊN BẢN HỘI CHẨN TỪ XA', 'TRẠM Y TẾ XÃ TẢ VAN',
    'Mã cơ sở KCB: 10045', 'Hình thức: Hội chẩn từ xa', 'Điểm kết nối tư vấn: Bệnh viện Bạch Mai', 'NGUYỄN THỊ HẠNH', '02/03/1958',
    '010158001234', 'GD4010112345678', 'Đau ngực trái, khó thở khi gắng sức', 'vã mồ hôi', 'Đái tháo đường típ 2.', 'Penicillin (mẩn ngứa).',
    'Tim đều, T1 T2 rõ.', 'ST chênh xuống V4–V6', 'Có cần chuyển cơ sở KCB ngay không?', '36,6', 'mmHg', 'nhập tay',
    'Đau thắt ngực không ổn định (ICD-10: I20.0)', '2. Tăng huyết áp nguyên phát', 'Hội chứng vành cấp; chuyển cơ sở KCB.',
    'bằng xe cứu thương', 'Aspirin 81 mg', 'Khám lại sau khi xuất viện 1 tuần.', 'Người bệnh đồng ý: khám bệnh, chữa bệnh từ xa; ghi âm, ghi hình',
    'Mất kết nối với BS. Trần Văn Minh', 'IMG0001.dcm', 'Ảnh 2: dermatoscope 20/11/2026 09:11', 'Nhịp xoang đều', '25 mm/s, 10 mm/mV', 'CHỦ TỌA', 'THƯ KÝ'])
    assert.ok(text.includes(said), said);
  assert.match(text, /BS\. Trần Văn Minh \([^)]*\): Nghĩ nhiều đến hội chứng vành cấp/, 'an opinion has its author');
  for (const gone of ['Bản nháp đầu tiên', 'Viêm phổi', 'BẢN NHÁP']) assert.ok(!text.includes(gone), gone);
  const pages = pagesOf(whole.file('minutes.pdf'));
  for (let i = 1; i <= pages; i++) assert.ok(text.includes(`Trang ${i}/${pages}`));
  assert.deepEqual(collisions(whole.file('minutes.pdf')), []);
  t.diagnostic(`${pages} pages, ${whole.bytes('minutes.pdf').length} bytes`);
});

test('fonts are embedded, metadata name no patient, the bytes are the same each time', () => {
  const fonts = fontsOf(whole.file('minutes.pdf'));
  assert.ok(fonts.length > 0);
  for (const { name, embedded } of fonts) assert.ok(embedded && /LiberationSerif|DejaVu/.test(name), name);
  const info = execFileSync('pdfinfo', [whole.file('minutes.pdf')], { encoding: 'utf8' });
  assert.match(info, /Title: +BIÊN BẢN HỘI CHẨN TỪ XA/);
  assert.match(info, /Author: +Trạm Y tế xã Tả Van/);
  assert.match(info, /A4/);
  assert.doesNotMatch(info, /Hạnh|010158001234/);
  assert.ok(whole.bytes('minutes.pdf').equals(whole.bytes('again.pdf')), 'a view between the two changes nothing');
  assert.ok(whole.bytes('bundle.json').equals(whole.bytes('again.json')));
});

test('the QR code is the hash of the signed manifest, which also stands in text', () => {
  const pages = pagesOf(whole.file('minutes.pdf'));
  const provenance = every(whole.bundle, 'Provenance')[0];
  const { value } = provenance.entity[0].what.identifier;
  assert.match(value, /^[0-9a-f]{64}$/);
  execFileSync('pdftoppm', ['-r', '150', '-f', String(pages), '-l', String(pages), '-png', whole.file('minutes.pdf'), join(dir, 'last')]);
  const [image] = execFileSync('sh', ['-c', `ls ${join(dir, 'last')}*.png`], { encoding: 'utf8' }).trim().split('\n');
  const read = execFileSync('zbarimg', ['-q', '--raw', '--nodbus', image], { encoding: 'utf8' }).trim();
  assert.equal(read, `nhipcau:1:${whole.id}:sha256:${value}`);
  assert.ok(textOf(whole.file('minutes.pdf')).replace(/\s/g, '').includes(value));
});

// Points of all lines that are drawn on a page, in PostScript points: as they stand in the PDF, before pdftocairo
// fits the page to its paper.
function* polylines(svg) {
  for (const [, d] of svg.matchAll(/<path style="fill:none;[^"]*" d="([^"]*)"/g))
    for (const part of d.split('M').slice(1)) {
      const numbers = part.replace(/[LZ]/g, ' ').trim().split(/\s+/).map(Number);
      const points = [];
      for (let i = 0; i + 1 < numbers.length; i += 2) points.push([numbers[i], numbers[i + 1]]);
      yield points;
    }
}

test('ECG strips are in true millimetres: the pulse is 10 mm high and 5 mm long, a beat of 1 mV too, grids of 1 mm', () => {
  const mm = 72 / 25.4, pdf = whole.file('minutes.pdf');
  const page = wordsOf(pdf).findIndex((words) => words.some(({ text }) => text === 'aVR')) + 1;
  const lines = [...polylines(svgOf(pdf, page))];
  const pulses = lines.filter((points) => points.length === 6 && Math.abs(Math.abs(points[1][1] - points[2][1]) / mm - 10) < 0.02
    && Math.abs((points[3][0] - points[2][0]) / mm - 5) < 0.02);
  assert.ok(pulses.length >= 4, `${pulses.length} pulses`);
  // Two seconds at 25 mm/s, since one of each thousand samples is missing. What is straight is one line in the PDF.
  const traces = lines.filter((points) => points.length > 50);
  assert.ok(traces.length >= 4, `${traces.length} traces`);
  const height = (points) => (Math.max(...points.map(([, y]) => y)) - Math.min(...points.map(([, y]) => y))) / mm;
  const length = (points) => (points.at(-1)[0] - points[0][0]) / mm;
  for (const trace of traces) assert.ok(Math.abs(length(trace) - 998 / 500 * 25) < 0.05, `${length(trace)} mm`);
  assert.ok(traces.some((trace) => Math.abs(height(trace) - 10) < 0.15), traces.map(height).join(' '));
  const rules = lines.filter((points) => points.length === 2 && Math.abs(points[0][0] - points[1][0]) < 0.01 && Math.abs(points[0][1] - points[1][1]) > 50)
    .map(([[x]]) => x / mm).sort((a, b) => a - b);
  const steps = rules.slice(1).map((x, i) => x - rules[i]).filter((step) => step > 0.01);
  assert.ok(steps.length > 100 && steps.every((step) => Math.abs(step - Math.round(step)) < 0.02));
});

test('the Bundle holds what it should, and passes schema, invariants, references and units', (t) => {
  sound(whole.bundle);
  const counts = {};
  for (const { resource } of whole.bundle.entry) counts[resource.resourceType] = (counts[resource.resourceType] ?? 0) + 1;
  for (const type of ['Composition', 'Encounter', 'ServiceRequest', 'Patient', 'Practitioner', 'Organization', 'Device', 'Observation',
    'Condition', 'MedicationRequest', 'Media', 'DocumentReference', 'Consent', 'Provenance', 'AuditEvent']) assert.ok(counts[type] > 0, type);
  assert.equal(every(whole.bundle, 'Encounter')[0].class.code, 'VR');
  const bp = every(whole.bundle, 'Observation').find(({ code }) => code.coding?.some(({ code: c }) => c === '85354-9'));
  assert.deepEqual(bp.component.map(({ valueQuantity }) => valueQuantity.value), [165, 95]);
  const ecg = every(whole.bundle, 'Observation').find(({ code }) => code.coding?.some(({ code: c }) => c === '11524-6'));
  assert.equal(ecg.component.length, 12);
  const samples = ecg.component[1].valueSampledData;
  assert.equal(samples.period, 2);
  const numbers = samples.data.split(' ');
  assert.equal(numbers.length, 5000);
  assert.equal(numbers[999], 'E');
  const peak = Math.max(...numbers.filter((n) => n !== 'E').map(Number)) * samples.factor;
  assert.ok(Math.abs(peak - 1) < 0.01, `${peak} mV`);
  assert.ok(!JSON.stringify(whole.bundle).includes('"value":12'), 'a test of the device is no reading');
  assert.deepEqual(every(whole.bundle, 'Condition').map(({ code }) => code.coding?.[0].code ?? null), ['I20.0', null]);
  t.diagnostic(JSON.stringify(counts));
});

test('what is planted in a Bundle is found', () => {
  const plants = {
    schema: (b) => { every(b, 'Patient')[0].birthDate = '2.3.1958'; },
    package: (b) => { delete every(b, 'Observation')[0].status; },
    references: (b) => { every(b, 'Encounter')[0].subject.reference = 'urn:uuid:0'; },
    units: (b) => { every(b, 'Observation')[0].valueQuantity.code = 'beats'; },
    invariants: (b) => { delete every(b, 'Consent')[0].policyRule; },
  };
  for (const [judge, plant] of Object.entries(plants)) {
    const bundle = JSON.parse(whole.bytes('bundle.json'));
    plant(bundle);
    assert.ok(judgeBundle(bundle)[judge].length > 0, judge);
  }
});

test('referral sheet and prescription come from the same data', () => {
  const text = flat(textOf(whole.file('referral.pdf')));
  for (const said of ['GIẤY CHUYỂN CƠ SỞ KHÁM BỆNH, CHỮA BỆNH', 'Kính gửi: Bệnh viện Bạch Mai', 'NGUYỄN THỊ HẠNH', 'TÓM TẮT BỆNH ÁN',
    'Chẩn đoán: Đau thắt ngực không ổn định (I20.0); Tăng huyết áp nguyên phát', 'Hướng điều trị: Đồng ý chuyển người bệnh', 'BS. Lò Thị Lan'])
    assert.ok(text.includes(said), said);
  assert.deepEqual(collisions(whole.file('referral.pdf')), []);
  const file = JSON.parse(readFileSync(whole.file('prescription.json'), 'utf8'));
  assert.equal(file.ho_ten_benh_nhan, 'Nguyễn Thị Hạnh');
  assert.deepEqual(file.chan_doan.map(({ ma_chan_doan }) => ma_chan_doan), ['I20.0', '']);
  assert.deepEqual(file.thong_tin_don_thuoc.map(({ ten_thuoc, so_luong, don_vi_tinh, cach_dung, so_ngay }) => [ten_thuoc, so_luong, don_vi_tinh, cach_dung, so_ngay]),
    [['Aspirin 81 mg', 4, 'viên', 'Nhai 4 viên ngay', 1]]);
});

test('further signatures are told, what else comes after the first changes nothing', () => {
  const more = (role, name, method) => row('signature', { method, role, name, sha256: 'f'.repeat(64), cms: 'MAA=' });
  const made = makePapers(dir, 'signed-again', { ...wholeCase(shots), ecg: 0, files: [], after: [
    note('n1', 'summary', 'Viết sau khi ký'), row('patient', { name: 'Người Khác' }), more('chair', 'GS. Phạm Thị Hoa', 'upload'),
    row('note', { note: 'n20', kind: 'opinion', text: 'Nói sau', author: 'X', via: 'telephone' }), more('patient', 'Nguyễn Thị Hạnh', 'confirmation')] });
  const text = flat(textOf(made.file('minutes.pdf')));
  for (const said of ['vã mồ hôi', 'NGUYỄN THỊ HẠNH', 'GS. Phạm Thị Hoa', 'chữ ký số, tệp .p7s', 'xác nhận tại chỗ']) assert.ok(text.includes(said), said);
  for (const gone of ['Viết sau khi ký', 'NGƯỜI KHÁC', 'Nói sau', 'ffffffffffffffffffffffff']) assert.ok(!text.includes(gone), gone);
  assert.equal(every(made.bundle, 'Provenance').length, 3);
  sound(made.bundle);
});

test('a draft says so on each page and has no hash', () => {
  const draft = wholeCase(shots);
  const made = makePapers(dir, 'draft', { ...draft, rows: draft.rows.slice(0, -1), sign: false });
  const pages = wordsOf(made.file('minutes.pdf'));
  for (const words of pages) assert.ok(words.map(({ text }) => text).join(' ').includes('BẢN NHÁP'), 'every page');
  assert.ok(!/[0-9a-f]{64}/.test(textOf(made.file('minutes.pdf')).replace(/IMG0001[^A-Z]*/, '').replace(/dien-tim[^A-Z]*/, '')));
  assert.equal(made.bundle.entry[0].resource.status, 'preliminary');
  sound(made.bundle);
});

test('a consultation with nothing in it has papers too', () => {
  const made = makePapers(dir, 'nothing', { station: '', users: [], first: {}, rows: [], files: [], ecg: 0, sign: false });
  sound(made.bundle);
  assert.ok(flat(textOf(made.file('minutes.pdf'))).includes('(chưa rõ danh tính)'));
  assert.deepEqual(collisions(made.file('minutes.pdf')), []);
});

test('hostile and endless texts are laid out without a crash and without overlap', (t) => {
  const long = Array.from({ length: 10_000 }, (_, i) => `từ${i}`).join(' ');
  const rude = '\u202Eegassem\u202C \u0007\u0000\u001B[31m \u200F\u05E9\u05DC\u05D5\u05DD \u0645\u0631\u062D\u0628\u0627 😀👩‍⚕️🇻🇳 <b>&amp;</b> \uFFFE \uFEFF e\u0302\u0301 ';
  const one = (id, kind, text) => note(id, kind, text.replaceAll('\u0000', ''), rude.replaceAll('\u0000', ''));
  const clean = rude.replaceAll('\u0000', '');
  const made = makePapers(dir, 'hostile', {
    station: clean.repeat(5), users: [{ id: 'lan', name: clean.repeat(3) }],
    first: { state: 'live', mode: 4, reason: 'x'.repeat(5000), conclusion: clean, doctor: 'lan' },
    rows: [row('patient', { name: clean.repeat(8), address: 'W'.repeat(500), sex: 7, birth_date: 'x', birth_year: -5 }),
      row('patient', { name: `${'Ư'.repeat(190)} ${clean}`, address: 'W'.repeat(500) }),
      one('a', 'history', long), one('b', 'opinion', 'Ă'.repeat(5000)), one('c', 'question', clean.repeat(300)), one('d', 'summary', '\n'.repeat(2000) + 'cuối'),
      row('note', 'no object'), row('note', { note: 5, kind: [], text: {} }), row('problem', { title: clean.repeat(20), icd10: clean }),
      row('facilities', { own: 'x', consulted: [1, { name: 'Z'.repeat(300) }] }),
      row('consent', { kind: 'what', purposes: ['x', 3], by: clean }), row('consent', { kind: 'representative', purposes: 'x' }),
      ...Array.from({ length: 120 }, (_, i) => row('event', { what: i % 2 ? 'source-back' : 'source-lost', detail: clean })),
      ...Array.from({ length: 12 }, (_, i) => row('guest', { guest: `g${i}`, name: 'Q'.repeat(200), facility: clean.repeat(4), role: 'specialist', state: 'admitted' })),
      row('observation', { vital: 'spo2', value: 1e300, unit: clean, time: 'yesterday', device: 'D'.repeat(300), flags: 'x' }),
      row('observation', { vital: 'temp', value: 'chữ', unit: 5, time: '2026-11-20T02:03:12.000Z' }),
      row('prescription', { prescription: 'p', drug: clean.repeat(9), dose: long.slice(0, 5000), days: 'x', quantity: -1 })],
    files: [], ecg: 0, sign: true,
  });
  const text = flat(textOf(made.file('minutes.pdf')));
  for (const i of [0, 4999, 9999]) assert.ok(text.includes(`từ${i} `), `từ${i}`);
  assert.ok(text.includes('cuối') && text.includes('ế'));
  assert.ok(!/[\u202E\u0007\u001B]/.test(text), 'no controls'); // pdftotext sets marks of its own about what runs from the right
  for (const paper of ['minutes.pdf', 'referral.pdf']) assert.deepEqual(collisions(made.file(paper)), [], paper);
  sound(made.bundle);
  t.diagnostic(`${pagesOf(made.file('minutes.pdf'))} pages`);
});

test('sixty pictures, broken ones among them', (t) => {
  const jpeg = readFileSync(shots.jpeg);
  const broken = { cut: jpeg.subarray(0, 3000), text: Buffer.from('no picture'), empty: Buffer.alloc(0), huge: Buffer.from(jpeg) };
  // Says that it is 65,535 by 65,535.
  const frame = broken.huge.indexOf(Buffer.from([0xFF, 0xC0]));
  broken.huge.fill(0xFF, frame + 5, frame + 9);
  for (const [name, bytes] of Object.entries(broken)) writeFileSync(join(dir, `${name}.jpg`), bytes);
  const names = Object.keys(broken);
  const made = makePapers(dir, 'sixty', {
    ...wholeCase(shots), ecg: 0,
    files: Array.from({ length: 70 }, (_, i) => {
      const path = join(dir, `still-${i}.jpg`); // each with another content, or it would be one attachment
      const comment = Buffer.from([0xFF, 0xFE, 0, 4, 0x30 + i % 10, 0x30 + Math.floor(i / 10)]);
      writeFileSync(path, i % 10 === 9 ? Buffer.concat([broken[names[Math.floor(i / 10) % 4]], Buffer.from([i])])
        : Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)]));
      return still(path, `${i}.jpg`, '2026-11-20T02:10:00.000Z');
    }),
  });
  const text = flat(textOf(made.file('minutes.pdf')));
  assert.ok(text.includes('Ảnh 60:') && !text.includes('Ảnh 61:') && text.includes('Còn 10 ảnh nữa trong hồ sơ điện tử.'));
  assert.equal(text.split('(không hiển thị được ảnh này)').length - 1, 6);
  const images = execFileSync('pdfimages', ['-list', made.file('minutes.pdf')], { encoding: 'utf8' }).trim().split('\n').slice(2);
  assert.equal(images.filter((line) => / jpeg /.test(line)).length, 54);
  assert.deepEqual(collisions(made.file('minutes.pdf')), []);
  sound(made.bundle);
  t.diagnostic(`${pagesOf(made.file('minutes.pdf'))} pages, ${made.bytes('minutes.pdf').length} bytes`);
});
