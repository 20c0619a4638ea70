// The whole simulated clinic as a user starts it: station/try, and what people do at its pages.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mediaNow, watchMedia, eventually } from './browser.mjs';
import { line, root, start, stop } from './station.mjs';

export const screenshots = join(root, 'build/screenshots');
mkdirSync(screenshots, { recursive: true });

// Runs station/try in a folder of its own; resolves with what --json tells.
export async function tryClinic({ netns, args = [] } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'nhipcau-clinic-'));
  const child = start(join(root, 'station/try'), ['--no-install', '--json', '--dir', dir, ...args], { netns });
  const [text] = await line(child, /^\{.*\}$/, 180);
  const facts = JSON.parse(text);
  return {
    ...facts, dir, child,
    end: async () => {
      await stop(child, 20);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function enter(page, { console, pin }, user) {
  await page.goto(console);
  await page.getByTestId(`user-${user}`).click();
  await page.getByTestId('pin').fill(pin);
  await page.getByTestId('pin-enter').click();
}

// The doctor at the console: chooses a name, types the PIN.
export async function signIn(page, clinic, user = clinic.user) {
  await enter(page, clinic, user);
  await page.getByTestId('live').waitFor();
}

// The same where no consultation is on the screen yet: it begins, with consent, and is recorded. No
// purpose is given by itself.
export async function beginConsultation(page, clinic) {
  await enter(page, clinic, clinic.user);
  await page.getByTestId('mode-3').check();
  await page.getByTestId('reason').fill('Đau ngực');
  await page.getByTestId('patient-name').fill('Lò Văn Pành');
  await page.getByTestId('start-consultation').click();
  await page.getByTestId('live').waitFor();
  await page.getByTestId('consent').click();
  const dialog = page.getByTestId('consent-dialog');
  await dialog.getByTestId('consent-given').check();
  for (const box of await dialog.locator('[data-testid^=purpose-]').all()) assert.equal(await box.isChecked(), false);
  for (const purpose of ['treatment', 'recording']) await dialog.getByTestId(`purpose-${purpose}`).check();
  await dialog.getByTestId('consent-save').click();
  await dialog.waitFor({ state: 'hidden' });
  await page.getByTestId('recording').click();
  await page.locator('[data-testid=recording-state][data-on=true]').waitFor();
}

// The link of a new invitation, as the doctor would copy it.
export async function invite(page) {
  await page.getByTestId('invite').click();
  await page.getByTestId('invite-create').click();
  const link = await page.getByTestId('invite-link').inputValue();
  await page.getByTestId('invite-done').click();
  return link;
}

// The specialist opens the link, says who they are and asks to be let in.
export async function askToJoin(page, clinic, name = 'BS. Trần Văn Minh') {
  await page.goto(clinic.specialist);
  await page.getByTestId('name').fill(name);
  await page.getByTestId('facility').fill('Bệnh viện Trung ương');
  await page.getByTestId('join').click();
}

export async function watched(context) {
  await context.addInitScript(watchMedia);
}

// Every one of these videos presents new, changing pictures from now on.
export async function picturesMove(page, names, seconds = 25) {
  const before = await mediaNow(page);
  return eventually(async () => {
    const now = await mediaNow(page);
    return names.every((name) => {
      const video = now.videos[name], old = before.videos[name];
      return video && video.frames >= (old?.frames ?? 0) + 10 && video.pictures >= 2 && video.width > 0;
    }) && now;
  }, seconds, `pictures of ${names.join(', ')} move`);
}

export async function soundGrows(page, seconds = 15) {
  const before = await mediaNow(page);
  return eventually(async () => {
    const now = await mediaNow(page);
    return now.energy > before.energy && now.energy > 0 && now;
  }, seconds, 'sound is heard');
}
