// A bare Debian 12 made by debootstrap: the two commands of the README must need nothing else.
// Takes minutes and the network of Debian's mirrors and npm's registry.

import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../lib/station.mjs';

const bare = mkdtempSync(join(tmpdir(), 'nhipcau-bare-'));
const run = (command, args, options = {}) =>
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', maxBuffer: 1 << 28, ...options });

after(() => {
  for (const place of ['dev/shm', 'dev', 'proc', 'sys'])
    spawnSync('umount', ['-l', join(bare, place)]);
  rmSync(bare, { recursive: true, force: true });
});

// What this machine needs to reach the registries is the machine's matter, not the project's.
function bringNetwork() {
  copyFileSync('/etc/resolv.conf', join(bare, 'etc/resolv.conf'));
  const environment = ['DEBIAN_FRONTEND=noninteractive', 'HOME=/root', 'LANG=C.UTF-8'];
  const extra = process.env.NODE_EXTRA_CA_CERTS;
  if (extra && existsSync(extra)) {
    mkdirSync(join(bare, 'usr/local/share/machine'), { recursive: true });
    copyFileSync(extra, join(bare, 'usr/local/share/machine/ca.pem'));
    environment.push('NODE_EXTRA_CA_CERTS=/usr/local/share/machine/ca.pem');
  }
  for (const name of ['http_proxy', 'https_proxy', 'no_proxy'])
    if (process.env[name]) environment.push(`${name}=${process.env[name]}`);
  return environment;
}

test('on a bare Debian 12 station/try builds and runs a consultation', { timeout: 60 * 60_000 }, () => {
  run('apt-get', ['-qq', '-y', 'install', '--no-install-recommends', 'debootstrap']);
  run('debootstrap', ['--variant=minbase', 'bookworm', bare, 'http://deb.debian.org/debian']);
  const environment = bringNetwork();
  mkdirSync(join(bare, 'src'));
  const archive = join(bare, 'src.tar');
  run('git', ['-C', root, 'archive', '-o', archive, 'HEAD']);
  run('tar', ['-xf', archive, '-C', join(bare, 'src')]);
  for (const place of ['proc', 'sys', 'dev']) run('mount', ['--rbind', `/${place}`, join(bare, place)]);
  writeFileSync(join(bare, 'go'), `#!/bin/bash
set -e
cd /src
./station/try --seconds 30 --json --dir /var/tmp/clinic > /out.json 2> /err.txt
build/station/nhipcau record list --state /var/tmp/clinic/state --unlock /var/tmp/clinic/passphrase --json > /list.json
build/station/nhipcau record verify --state /var/tmp/clinic/state --unlock /var/tmp/clinic/passphrase
node --version > /node
`, { mode: 0o755 });
  const done = spawnSync('chroot', [bare, 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', ...environment, '/go'],
    { encoding: 'utf8', maxBuffer: 1 << 28 });
  const read = (name) => run('cat', [join(bare, name)]);
  assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}\n${existsSync(join(bare, 'err.txt')) ? read('err.txt') : ''}`);
  const facts = JSON.parse(read('out.json'));
  for (const key of ['console', 'user', 'pin', 'specialist', 'state', 'mllp', 'ca', 'unlock', 'recovery_key', 'pid'])
    assert.ok(facts[key], key);
  assert.match(read('node'), /^v18\./);
  assert.ok(JSON.parse(read('list.json')).records.length === 1);
});
