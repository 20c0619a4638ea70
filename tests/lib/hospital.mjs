// A hospital's side as docs/operations.md sets it up: station/hospital/setup, and its three servers as the users that Debian's
// units have; and a region around it: a clinic behind a NAT, specialists and patients behind another.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openChromium } from './browser.mjs';
import { watched } from './clinic.mjs';
import { Console } from './console.mjs';
import { doorInto, makeProvince } from './province.mjs';
import { makeAuthority, runNginx, runServer } from './rendezvous.mjs';
import { buildDir, freePort, line, root, runStation, setUp, start, stop } from './station.mjs';
import { providerConfig } from '../sim/oidc.mjs';

export const HOST = 'hoichan.test'; // pages by name: a passkey belongs to one
const SECRET = 'a-secret-of-the-relay-0123456789';

const asUser = (user, command, args) =>
  ['setpriv', ['--reuid', user, '--regid', user, '--init-groups', '--pdeathsig', 'KILL', command, ...args]];

// stations: [{id, name, certificate}]. server: {certificate, key}. provider: {issuer, title}; settings: further lines.
export async function startHospital({ dir, netns, address, authority, server, stations, provider, settings = '' }) {
  mkdirSync(dir, { recursive: true });
  const file = (name, text) => { const path = join(dir, name); writeFileSync(path, text); return path; };
  const given = file('settings', `HOST=${HOST}
ADDRESS=${address}
CERTIFICATE=${server.certificate}
KEY=${server.key}
STATIONS_CA=${authority.ca}
STATIONS=${file('stations.txt', stations.map(({ id, name, certificate }) => `${id};${name};${certificate}\n`).join(''))}
DESK=bv-tinh
PAGES=${join(buildDir, 'station/dist')}
TURN_SECRET_FILE=${file('turn.secret', `${SECRET}\n`)}
NGINX_LOG=${join(dir, 'access.log')}
BROKER_LOG=all
# The provinces of the tests are private networks.
DENIED_PEERS="192.168.0.0-192.168.255.255"
${provider ? `PROVIDER_ISSUER=${provider.issuer}\nPROVIDER_CLIENT=nhipcau\nPROVIDER_TITLE="Bệnh viện tỉnh"\n` : ''}${settings}`);
  const at = join(dir, 'root');
  execFileSync(join(root, 'station/hospital/setup'), [given, '--root', at], { stdio: 'pipe' });
  const broker = await runServer(asUser('mosquitto', 'mosquitto', ['-c', join(at, 'etc/mosquitto/mosquitto.conf')]),
    { netns, ports: [9001] });
  const relay = await runServer(asUser('turnserver', 'turnserver', ['-c', join(at, 'etc/turnserver.conf'), '--pidfile=', '--verbose']),
    { netns, ports: [3478], address });
  const nginx = await runNginx({ dir: join(dir, 'nginx'), netns, port: 443, address, user: 'www-data',
    site: join(at, 'etc/nginx/sites-enabled/nhipcau'), log: join(dir, 'access.log') });
  return { broker, nginx, relay, log: () => broker.log() + nginx.log() + relay.log(),
    stop: () => Promise.all([broker, nginx, relay].map((one) => one.stop())) };
}

async function startProvider(dir, netns, address, origin) {
  mkdirSync(dir, { recursive: true });
  const child = start(process.execPath, [join(root, 'tests/sim/oidc-server.mjs'), dir, address, '9443', origin], { netns });
  const [, facts] = await line(child, /^ready (.*)/);
  return { ...JSON.parse(facts), stop: () => stop(child) };
}

// nat: of both routers (province.mjs); profile: of the clinic's link, none without it. What runs, and how to end it.
export async function makeRegion({ nat = 'symmetric', profile, users, config = '' } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'nhipcau-hospital-'));
  chmodSync(dir, 0o755); // servers read as users of their own
  const made = [];
  const remember = (one) => { made.push(one); return one; };
  const close = async () => {
    for (const one of made.splice(0).reverse()) await one();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const province = makeProvince(1, { hasLink: Boolean(profile) }); // nothing of the clinic is forwarded
    remember(() => province.remove());
    province.network(nat);
    const link = profile ? await province.openLink(profile) : null;
    if (link) remember(() => stop(link.child));
    const authority = makeAuthority(join(dir, 'ca'));
    const address = province.relayAddress, origin = `https://${HOST}`;
    const server = authority.server([`IP:${address}`, `DNS:${HOST}`]), own = authority.station('ta-van');
    const provider = await startProvider(join(dir, 'provider'), province.relay, address, origin);
    remember(provider.stop);
    const hospital = await startHospital({ dir: join(dir, 'hospital'), netns: province.relay, address, authority, server, provider,
      stations: [{ id: 'ta-van', name: 'Trạm Y tế xã Tả Van', certificate: own.certificate }] });
    remember(hospital.stop);
    const port = await freePort();
    const clinic = await setUp(join(dir, 'clinic'), {
      ports: { http: port }, more: 'id=ta-van\nphone=0214 3871 234', users,
      config: `[camera room]\naddress=test:\nwidth=640\nheight=360\nframe-rate=15\n\n[microphone microphone]\naddress=test:\n
[relay province]\naddress=turn:${address}:3478\nsecret-file=${join(dir, 'hospital/turn.secret')}
[rendezvous]\nbroker=mqtts://${address}:8883\nca-file=${authority.ca}\npages=${origin}
[level province]\ndesk=bv-tinh\nring=120\n[visits]\nclock=trusted\n${providerConfig(provider)}${config}`,
    });
    execFileSync('sed', ['-i', `s|^\\[http\\]|[http]\\ncertificate=${own.certificate}\\nkey=${own.key}|`, clinic.config]);
    const station = await runStation(clinic, { netns: province.clinic });
    remember(() => stop(station));
    const door = await doorInto(province.clinic, port);
    remember(() => door.close());
    const place = { ...clinic, ca: authority.ca };
    const doctor = await Console.connect(place, '/ws/console', { agent: door.agent });
    remember(() => doctor.close());
    doctor.session = (await doctor.ask('sign-in', { user: clinic.users[0].id, pin: clinic.pin })).session;
    // Somebody's Chromium behind the other NAT. Nobody waits for a name server there: the provider's own pages ask for fonts.
    const browser = async (options = {}) => {
      const one = await openChromium({ ca: authority.ca, relayCa: provider.ca, netns: province.hospital, ...options,
        args: [`--host-resolver-rules=MAP ${HOST} ${address}, MAP * ~NOTFOUND, EXCLUDE ${address}`, ...(options.args ?? [])] });
      remember(one.close);
      await watched(one.context);
      return one;
    };
    return { dir, province, link, authority, provider, hospital, clinic, station, doctor, door, origin, browser, close,
      passphrase: readFileSync(clinic.passphrase, 'utf8').trim() };
  } catch (error) {
    await close();
    throw error;
  }
}

// At the hospital's provider: by a name of tests/sim/oidc.mjs.
export async function atProvider(page, who) {
  await page.locator('input[name=login]').fill(who);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.locator('button[type=submit]').click(); // the consent page
}
