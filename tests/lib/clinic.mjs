// The whole simulated clinic as a user starts it: station/try, and what people do at its pages.

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

// The doctor at the console: chooses a name, types the PIN.
export async function signIn(page, clinic, user = clinic.user) {
  await page.goto(clinic.console);
  await page.getByTestId(`user-${user}`).click();
  await page.getByTestId('pin').fill(clinic.pin);
  await page.getByTestId('pin-enter').click();
  await page.getByTestId('live').waitFor();
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
