// A simulated camera that turns (tests/sim/onvif.py), and what a test sees of it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, line, root, start, stop } from './station.mjs';

export async function turningCamera({ quirks = [], user = 'onvif', password = 'mật khẩu & <1>' } = {}) {
  const port = await freePort(), dir = mkdtempSync(join(tmpdir(), 'nhipcau-onvif-'));
  const child = start('/usr/bin/python3', [join(root, 'tests/sim/onvif.py'), String(port),
    ...(user ? ['--user', user, '--password', password] : []), ...quirks.flatMap((quirk) => ['--quirk', quirk])]);
  await line(child, /^ready/);
  child.stderr.pipe(process.stderr);
  const secret = join(dir, 'password');
  writeFileSync(secret, `${password}\n`, { mode: 0o600 });
  const here = `http://127.0.0.1:${port}`;
  return {
    address: `${here}/onvif/device_service`, password, secret,
    // For a group [camera NAME].
    config: `onvif=${here}/onvif/device_service\n${user ? `onvif-user=${user}\nonvif-password-file=${secret}\n` : ''}`,
    // {pan, tilt, zoom, moving, log}
    look: async () => (await fetch(`${here}/sim`)).json(),
    set: async (quirk) => { await fetch(`${here}/sim`, { method: 'POST', body: JSON.stringify(quirk) }); },
    end: async () => {
      await stop(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
