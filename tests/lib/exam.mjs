// A small clinic for examinations: a station with the sources given, a consultation that is recorded,
// the doctor's console and a specialist, both in Chromium.

import { readFileSync } from 'node:fs';
import { openChromium } from './browser.mjs';
import { watched } from './clinic.mjs';
import { place, signIn } from './people.mjs';
import { runStation, stop } from './station.mjs';

export async function openExam(name, config, { scripts = [], consent = true } = {}) {
  const at = await place(name, { config });
  let station = await runStation(at);
  const drain = () => { station.stdout.resume(); station.stderr.resume(); };
  drain();
  const api = await signIn(at, at.users[0].id);
  await api.ask('consultation.start', { mode: 3, reason: 'Khám', patient: { name: 'Lò Văn Pành' } });
  if (consent) {
    await api.ask('consent.save', { kind: 'given', purposes: ['treatment', 'recording'], by: 'Lò Văn Pành', relation: 'bản thân', reason: '' });
    await api.ask('recording.start');
  }
  const { consultation } = await api.stateWhere((s) => s.consultation !== null);
  const { link } = await api.ask('invite.create', { role: 'specialist', name: 'BS. Trần Văn Minh' });
  await api.ask('sign-out');
  api.close();

  const browsers = [];
  async function chromium(options = {}) {
    const browser = await openChromium({ ca: at.ca, args: ['--autoplay-policy=no-user-gesture-required'], ...options });
    browsers.push(browser);
    await watched(browser.context);
    for (const script of scripts) await browser.context.addInitScript(script);
    return browser;
  }
  async function doctor() {
    const { page } = await chromium();
    await page.goto(`${at.origin}/`);
    await page.getByTestId(`user-${at.users[0].id}`).click();
    await page.getByTestId('pin').fill(at.pin);
    await page.getByTestId('pin-enter').click();
    await page.getByTestId('live').waitFor();
    return page;
  }
  // Asks to be let in; `admit`: the doctor's page lets them in.
  async function specialist(admit) {
    const { page } = await chromium();
    await page.goto(link);
    await page.getByTestId('name').fill('BS. Trần Văn Minh');
    await page.getByTestId('join').click();
    await admit.getByTestId('admit').click({ timeout: 60_000 });
    await page.getByTestId('live').waitFor();
    return page;
  }
  // The doctor concludes and signs, and opens what was recorded.
  async function openRecord(page, conclusion) {
    const secret = readFileSync(at.passphrase, 'utf8').trim();
    await page.bringToFront();
    await page.getByTestId('conclude').click();
    await page.getByTestId('conclude-dialog').getByTestId('conclusion').fill(conclusion);
    await page.getByTestId('conclude-go').click();
    await page.getByTestId('sign-secret').fill(secret);
    await page.getByTestId('sign-go').click();
    await page.locator('[data-testid^=record-]').first().click();
    await page.getByTestId('passphrase').fill(secret);
    await page.getByTestId('unlock-go').click();
  }
  async function end() {
    for (const browser of browsers) await browser.close();
    await stop(station);
    at.remove();
  }
  // kill -9, as a power cut does, and a new start.
  async function restart() {
    station.kill('SIGKILL');
    await new Promise((done) => { station.once('exit', done); });
    station = await runStation(at);
    drain();
  }
  return { at, consultation: consultation.id, link, doctor, specialist, openRecord, restart, end };
}
