// An ECG of 10 s over the village's link, while picture, sound and readings go on: how long until the
// specialist's sheet is drawn.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Meeting } from '../lib/meeting.mjs';
import { sim } from '../lib/station.mjs';

const dir = mkdtempSync(join(tmpdir(), 'nhipcau-ecg-link-'));
let meeting;
before(async () => { meeting = await Meeting.over('fibre'); }, { timeout: 240_000 });
after(async () => {
  await meeting?.end();
  rmSync(dir, { recursive: true, force: true });
});

test('the specialist has the ECG while the doctor still looks at it', { timeout: 120_000 }, async (t) => {
  // Pages are there already; what is measured is the ECG's way.
  await meeting.link.become('village-3g');
  const file = join(dir, 'ecg.scp');
  execFileSync(sim('ecg-file'), ['scp', file]);
  const [doctor, specialist] = [meeting.doctor.page, meeting.specialist.page];
  await doctor.getByTestId('ecg-open').click();
  await doctor.getByTestId('ecg-files').setInputFiles(file);
  await doctor.getByTestId('ecg-other-yes').waitFor();
  const began = Date.now();
  await doctor.getByTestId('ecg-other-yes').click();
  await doctor.getByTestId('ecg-canvas').waitFor();
  const drawn = Date.now();
  await specialist.getByTestId('ecg-open').click({ timeout: 180_000 });
  await specialist.getByTestId('ecg-canvas').waitFor({ timeout: 180_000 });
  const there = Date.now();
  t.diagnostic(`drawn on the console after ${drawn - began} ms, on the specialist's page after ${there - began} ms`);
  // The station is busy and the link carries a call; what is asserted is that it comes.
  assert.ok(there - began < 30_000, `${there - began} ms`);
});
