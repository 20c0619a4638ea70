// A TPM 2.0 in software (swtpm) with a folder of its own, for one station.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { eventually } from './browser.mjs';
import { freePort, start, stop } from './station.mjs';

const has = (program) => spawnSync('which', [program]).status === 0;
export const noTpm = has('swtpm') && has('tpm2_getcap') ? false : 'swtpm, tpm2-tools are not installed';

// Two ports in a row, which TCTI and control want; somebody else may have one of them by the time.
async function started(dir) {
  for (let tries = 0; ; tries++) {
    const port = await freePort();
    const child = start('swtpm', ['socket', '--tpm2', '--tpmstate', `dir=${dir}`, '--server', `type=tcp,port=${port}`,
      '--ctrl', `type=tcp,port=${port + 1}`, '--flags', 'not-need-init,startup-clear']);
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => { said += text; });
    const tcti = `swtpm:host=localhost,port=${port}`;
    const tool = (name, ...args) => execFileSync(name, args, { cwd: dir, env: { ...process.env, TPM2TOOLS_TCTI: tcti }, encoding: 'utf8', stdio: 'pipe' });
    const answers = await eventually(async () => {
      if (child.exitCode !== null) return 'gone';
      tool('tpm2_getcap', 'properties-variable');
      return 'yes';
    }, 20, 'the TPM answers');
    if (answers === 'yes') return { tcti, tool, stop: () => stop(child) };
    if (tries === 5) throw new Error(`swtpm ends: ${said}`);
  }
}

// Up and answering; `tool` runs one of tpm2-tools with it.
export function openTpm(dir) {
  mkdirSync(dir, { recursive: true });
  return started(dir);
}
