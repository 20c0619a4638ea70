// A doctor's visit as the station's clock has it: run under libfaketime like the station, since its certificate is
// good by that clock only. Prints one line of JSON: what the console was told, and that a note was kept.

import { readFileSync } from 'node:fs';
import { signIn, startConsultation } from './people.mjs';
import { eventually } from './browser.mjs';

const place = JSON.parse(readFileSync(process.argv[2], 'utf8')), wanted = process.argv[3];
const page = await signIn(place, 'lan');
const consultation = await startConsultation(page);
const kept = await page.ask('note.save', { note: crypto.randomUUID(), kind: 'note', text: 'Đồng hồ sai' });
await page.ask('consultation.park');
// What the console says comes with its greeting; the station may be asking its issuer yet.
const problems = await eventually(async () => {
  const next = await signIn(place, 'hung');
  const told = next.hello.problems;
  next.close();
  return (wanted === 'none' || told.some(({ code }) => code === wanted)) && told;
}, 30, `the console says ${wanted}`);
console.log(JSON.stringify({ consultation, seq: kept.seq, problems }));
page.close();
