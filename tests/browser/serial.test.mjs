// Devices behind serial ports on the console's page: state and reason in plain words, readings.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openChromium } from '../lib/browser.mjs';
import { screenshots } from '../lib/clinic.mjs';
import { place, signIn as signInSilently, startConsultation } from '../lib/people.mjs';
import { serialDevice } from '../lib/serial.mjs';
import { runStation, stop } from '../lib/station.mjs';

let at, station, ports, oximeter, silent, chromium;
before(async () => {
  ports = mkdtempSync(join(tmpdir(), 'nhipcau-ports-'));
  oximeter = await serialDevice('contec', join(ports, 'oximeter'));
  at = await place('serial-page', { config: `
[serial finger]
port=${oximeter.link}
title=Máy đo SpO₂
room=true

[serial monitor]
port=${join(ports, 'nowhere')}
title=Máy theo dõi Philips
kind=intellivue
` });
  station = await runStation(at);
  chromium = await openChromium({ ca: at.ca });
}, { timeout: 120_000 });
after(async () => {
  silent?.close();
  await chromium?.close();
  await stop(station);
  await oximeter?.end();
  at?.remove();
  rmSync(ports, { recursive: true, force: true });
});

test('what is plugged in works, what is not says what to do', { timeout: 180_000 }, async () => {
  const { page } = chromium;
  await page.goto(`${at.origin}/`);
  await page.getByTestId('user-lan').click();
  await page.getByTestId('pin').fill(at.pin);
  await page.getByTestId('pin-enter').click();
  await page.locator('[data-testid=feed-serial-finger][data-state=live]').waitFor();
  const absent = page.getByTestId('feed-serial-monitor');
  await absent.getByText('hãy cắm dây và bật máy').waitFor();
  assert.match(await absent.textContent(), /Máy theo dõi Philips.*đang tìm/);
  await page.getByTestId('station').screenshot({ path: join(screenshots, 'console-feeds-vi.png') });
  await oximeter.tell('unplug');
  await page.locator('[data-testid=feed-serial-finger][data-state=lost]').waitFor();
  await oximeter.tell('plug');
  await page.locator('[data-testid=feed-serial-finger][data-state=live]').waitFor();
});

test('readings and the finger that is missing are seen in the consultation', { timeout: 180_000 }, async () => {
  const { page } = chromium;
  silent = await signInSilently(at, 'hung');
  await startConsultation(silent);
  await page.reload();
  const spo2 = page.getByTestId('vital-spo2');
  await spo2.getByText('97').waitFor();
  await page.screenshot({ path: join(screenshots, 'console-oximeter-vi.png') });
  await oximeter.tell('finger out');
  await spo2.getByText('97').waitFor({ state: 'detached' });
  await spo2.getByText('chưa có ngón tay').waitFor();
  await page.screenshot({ path: join(screenshots, 'console-no-finger-vi.png') });
  await oximeter.tell('finger in');
  await spo2.getByText('97').waitFor();
  for (const value of [94, 95, 96]) {
    await oximeter.tell(`spo2 ${value}`);
    await spo2.getByText(String(value)).waitFor();
  }
  await page.screenshot({ path: join(screenshots, 'console-pleth-vi.png') });
});
