// A responder (RFC 6960): stock `openssl ocsp` on the index of a test authority.

import { join } from 'node:path';
import { eventually } from '../lib/browser.mjs';
import { start, stop } from '../lib/station.mjs';

// pki: made by signing-pki, with OCSP_URL at this port.
export async function ocspResponder(pki, port) {
  let text = '';
  const child = start('openssl', ['ocsp', '-port', `${port}`, '-index', join(pki, 'people-ca.d/index.txt'), '-CA', join(pki, 'people-ca.crt'),
    '-rsigner', join(pki, 'ocsp.crt'), '-rkey', join(pki, 'ocsp.key'), '-ndays', '7', '-text']);
  for (const out of [child.stdout, child.stderr]) out.setEncoding('utf8').on('data', (more) => { text += more; });
  await eventually(async () => /waiting for OCSP client connections/i.test(text), 20, 'the responder listens');
  return { asked: () => text.split('OCSP Request Data').length - 1, stop: () => stop(child) };
}
