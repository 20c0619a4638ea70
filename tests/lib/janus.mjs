// A conference server: Debian's Janus with a video room, and the doors of tests/sim/conference.mjs.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { place as makePlace } from './people.mjs';
import { freePort, line, root, start, stop } from './station.mjs';

const TOKEN = 'a-token-of-the-conference';

const off = (...names) => `{ disable = "${names.map((name) => `libjanus_${name}.so`).join(',')}" }`;

const settings = (port, low) => ({
  'janus.jcfg': `general: { debug_level = 4 }
media: { rtp_port_range = "${low}-${low + 99}" }
plugins: ${off('audiobridge', 'echotest', 'recordplay', 'sip', 'nosip', 'textroom', 'videocall', 'voicemail', 'lua', 'duktape', 'streaming')}
transports: ${off('http', 'rabbitmq', 'mqtt', 'nanomsg', 'pfunix')}
`,
  'janus.transport.websockets.jcfg': `general: { ws = true, ws_port = ${port}, ws_ip = "127.0.0.1", wss = false }
`,
  'janus.plugin.videoroom.jcfg': `room-1234: { description = "conference", publishers = 6, videocodec = "vp8,h264", audiocodec = "opus" }
`,
});

async function begin(dir, token) {
  const folder = join(dir, 'janus');
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(settings(port, 20000 + (port % 300) * 100)))
    writeFileSync(join(folder, name), text);
  const janus = start('janus', ['--disable-colors', '--configs-folder', folder]);
  let doors;
  const end = async () => {
    await stop(doors);
    await stop(janus);
  };
  try {
    await line(janus, /Websockets server started/, 20);
    doors = start('node', [join(root, 'tests/sim/conference.mjs'), String(port), token]);
    const [text] = await line(doors, /^\{.*\}$/, 15);
    return { ...JSON.parse(text), stop: end };
  } catch (error) {
    await end();
    throw error;
  }
}

// Rejects when Janus does not run here. A port that somebody else took in the meantime is no reason.
export async function startConference(dir, token) {
  const places = await begin(dir, token).catch(() => begin(dir, token));
  const now = async () => (await fetch(places.publish)).json();
  return {
    ...places,
    publishers: async () => (await now()).publishers,
    readers: async () => (await now()).readers,
    asked: async () => (await now()).asked,
  };
}

// A clinic with a camera and a microphone that may publish there, and the server: {clinic, conference}.
export async function conferencePlace(name, { operator, users }) {
  const clinic = await makePlace(name, {
    ...(users ? { users } : {}),
    config: '[camera room]\naddress=test:\nwidth=320\nheight=240\nframe-rate=10\n\n[microphone desk]\naddress=test:\n',
  });
  try {
    const conference = await startConference(clinic.dir, TOKEN);
    writeFileSync(join(clinic.dir, 'token'), `${TOKEN}\n`, { mode: 0o600 });
    writeFileSync(clinic.config, `${readFileSync(clinic.config, 'utf8')}
[conference]
publish=${conference.publish}
publish-token-file=token
read=${conference.read}
read-token-file=token
operator=${operator}
`);
    return { clinic, conference };
  } catch (error) {
    clinic.remove();
    throw error;
  }
}
