// Descriptions of consultations for papers-probe, and what can be read off a PDF by poppler's tools.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sim } from './station.mjs';

const run = (command, args, more = {}) => execFileSync(command, args, { maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'pipe'], ...more });
export const row = (kind, body, user = 'lan') => ({ kind, user, body });
export const note = (id, kind, text, author = 'BS. Lò Thị Lan') => row('note', { note: id, kind, text, author });

const reading = (vital, value, unit, more = {}) => row('observation',
  { vital, value, value_text: String(value), unit, time: '2026-11-20T02:03:12.000Z', time_source: 'device', device: '00A0370000000001', flags: [], test: false, ...more });

export const folder = () => mkdtempSync(join(tmpdir(), 'nhipcau-papers-'));

// Pictures of a camera, made once: a JPEG and a PNG with more pixels than paper shows.
export function pictures(dir) {
  const make = (name, source) => {
    run('ffmpeg', ['-y', '-loglevel', 'error', '-f', 'lavfi', '-i', source, '-frames:v', '1', join(dir, name)]);
    return join(dir, name);
  };
  writeFileSync(join(dir, 'c.dcm'), 'DICM');
  return { dicom: join(dir, 'c.dcm'), jpeg: make('a.jpg', 'testsrc=size=1280x720'), png: make('b.png', 'testsrc2=size=1920x1080') };
}

export const still = (path, name, taken, source = 'source-room') => ({
  kind: 'still', name, mime: name.endsWith('.png') ? 'image/png' : 'image/jpeg', path,
  about: { source, width: 1280, height: 720, lossless: false, taken, by: 'BS. Lò Thị Lan' },
});

// A case conference as it ought to be.
export function wholeCase({ jpeg, png, dicom }) {
  const end = { mode: 4, reason: 'Đau ngực trái, khó thở khi gắng sức', doctor: 'lan', conclusion: 'Hội chứng vành cấp; chuyển cơ sở KCB.' };
  return {
    station: 'Trạm Y tế xã Tả Van', users: [{ id: 'lan', name: 'BS. Lò Thị Lan' }],
    first: { ...end, state: 'live', conclusion: '', parked: false },
    rows: [
      row('patient', { name: 'Nguyễn Thị Hạnh', birth_date: '1958-03-02', sex: 'female', personal_number: '010158001234',
        insurance: 'GD4010112345678', phone: '0912 345 678', address: 'Thôn Tả Chải, xã Tả Van, tỉnh Lào Cai' }),
      row('facilities', { own: { id: 'x', name: 'Trạm Y tế xã Tả Van', code: '10045', address: 'Tả Van', phone: '0214 3871 234' },
        consulted: [{ name: 'Bệnh viện Bạch Mai', code: '01929' }] }),
      row('event', { what: 'started', detail: '' }),
      row('consent', { kind: 'given', purposes: ['treatment', 'recording'], by: 'Nguyễn Thị Hạnh', relation: '', reason: '' }),
      row('event', { what: 'consent', detail: 'given' }),
      row('guest', { guest: 'g12', invite: 'i', name: 'BS. Trần Văn Minh', facility: 'Bệnh viện Bạch Mai', role: 'specialist', key: 'k', state: 'admitted' }),
      row('event', { what: 'guest-admitted', detail: 'BS. Trần Văn Minh' }),
      row('recording', { on: true, reason: '' }, null),
      note('n1', 'summary', 'Người bệnh nữ 68 tuổi, đau ngực trái 3 ngày nay, lan vai trái, vã mồ hôi.'),
      note('n2', 'history', 'Bản nháp đầu tiên'),
      note('n2', 'history', 'Tăng huyết áp 10 năm, điều trị không đều. Đái tháo đường típ 2.'),
      note('n3', 'allergies', 'Penicillin (mẩn ngứa).'),
      note('n4', 'examination', 'Tỉnh, tiếp xúc tốt. Tim đều, T1 T2 rõ.'),
      note('n5', 'findings', 'Điện tim: nhịp xoang, ST chênh xuống V4–V6.'),
      note('n6', 'question', 'Có cần chuyển cơ sở KCB ngay không?'),
      row('note', { note: 'n7', kind: 'opinion', text: 'Nghĩ nhiều đến hội chứng vành cấp. Đề nghị chuyển ngay.', author: 'BS. Trần Văn Minh' }, 'guest:g12'),
      reading('spo2', 96, '%', { mdc: 150456, code: 'MDC_PULS_OXIM_SAT_O2', loinc: '59408-5' }),
      reading('temp', 36.6, 'Cel', { mdc: 150344, code: 'MDC_TEMP', loinc: '8310-5' }),
      reading('hr', 88, '/min', { mdc: 147842, code: 'MDC_ECG_HEART_RATE', loinc: '8867-4', flags: ['H'] }),
      reading('nibp-sys', 165, 'mm[Hg]', { mdc: 150021, loinc: '8480-6', device: 'CUFF1' }),
      reading('nibp-dia', 95, 'mm[Hg]', { mdc: 150022, loinc: '8462-4', device: 'CUFF1' }),
      reading('glucose', 8.1, 'mmol/L', { source: 'manual', device: undefined }),
      reading('spo2', 12, '%', { test: true, time: '2026-11-20T03:00:00.000Z' }),
      row('problem', { problem: '6d8f0c1e-0000-4000-8000-000000000001', icd10: 'I20.0', title: 'Đau thắt ngực không ổn định', text: 'Chuyển cấp cứu.', removed: false }),
      row('problem', { problem: '6d8f0c1e-0000-4000-8000-000000000002', icd10: null, title: 'Tăng huyết áp nguyên phát', text: 'Kiểm soát huyết áp.', removed: false }),
      row('problem', { problem: '6d8f0c1e-0000-4000-8000-000000000003', icd10: 'J18', title: 'Viêm phổi', text: 'Loại trừ.', removed: true }),
      note('n8', 'decision', 'Đồng ý chuyển người bệnh đến Bệnh viện Bạch Mai bằng xe cứu thương.'),
      note('n9', 'follow-up', 'Khám lại sau khi xuất viện 1 tuần.'),
      row('prescription', { prescription: 'p1', drug: 'Aspirin', strength: '81 mg', dose: 'Nhai 4 viên ngay', days: 1, quantity: 4, unit: 'viên', removed: false }),
      row('event', { what: 'guest-away', detail: 'BS. Trần Văn Minh' }),
      row('event', { what: 'guest-live', detail: 'BS. Trần Văn Minh' }),
      row('consultation', { ...end, state: 'concluding' }),
      row('consultation', { ...end, state: 'signed' }),
    ],
    files: [still(jpeg, 'room.jpg', '2026-11-20T02:10:00.000Z'), still(png, 'skin.png', '2026-11-20T02:11:00.000Z', 'source-dermatoscope'),
      { kind: 'dicom', name: 'IMG0001.dcm', mime: 'application/dicom', path: dicom, about: {} }],
    ecg: 10, sign: true,
  };
}

// Makes the papers of a description in a folder of their own; the consultation's id.
export function makePapers(dir, name, description) {
  const out = join(dir, name);
  mkdirSync(out, { recursive: true });
  const id = run(sim('papers-probe'), [out], { input: JSON.stringify(description), encoding: 'utf8' }).trim();
  const file = (paper) => join(out, paper);
  return { id, file, bytes: (paper) => readFileSync(file(paper)), bundle: JSON.parse(readFileSync(file('bundle.json'), 'utf8')) };
}

export const textOf = (pdf) => run('pdftotext', [pdf, '-'], { encoding: 'utf8' });
export const pagesOf = (pdf) => Number(run('pdfinfo', [pdf], { encoding: 'utf8' }).match(/Pages:\s+(\d+)/)[1]);
export const fontsOf = (pdf) => run('pdffonts', [pdf], { encoding: 'utf8' }).trim().split('\n').slice(2)
  .map((line) => ({ name: line.split(/\s+/)[0], embedded: / yes +yes +yes +\d+ +\d+$/.test(line) }));
export const svgOf = (pdf, page) => run('pdftocairo', ['-svg', '-f', String(page), '-l', String(page), pdf, '-'], { encoding: 'utf8' });

// Words of all pages with their boxes (points).
export function wordsOf(pdf) {
  const html = run('pdftotext', ['-bbox', pdf, '-'], { encoding: 'utf8' });
  return html.split('<page ').slice(1).map((page) => [...page.matchAll(/<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)<\/word>/g)]
    .map(([, x0, y0, x1, y1, text]) => ({ x0: Number(x0), y0: Number(y0), x1: Number(x1), y1: Number(y1), text })));
}

// Words that lie over each other or outside of the paper's edges. Boxes are as high as the font's ascent and
// descent, which neighbouring lines may touch: a third is drawn over.
export function collisions(pdf) {
  const wrong = [];
  wordsOf(pdf).forEach((all, page) => {
    const words = all.sort((a, b) => a.y0 - b.y0);
    words.forEach((a, i) => {
      if (a.x0 < 60 || a.x1 > 595.3 - 40 || a.y0 < 15 || a.y1 > 841.9 - 15) wrong.push(`page ${page + 1}: “${a.text}” is outside`);
      for (let k = i + 1; k < words.length && words[k].y0 < a.y1; k++) {
        const b = words[k], w = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0), h = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0);
        if (w > 1 && h > 0.34 * Math.min(a.y1 - a.y0, b.y1 - b.y0)) wrong.push(`page ${page + 1}: “${a.text}” over “${b.text}”`);
      }
    });
  });
  return wrong;
}
