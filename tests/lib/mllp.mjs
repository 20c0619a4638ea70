// One connection of a monitor that waits for each answer.

import { once } from 'node:events';
import { connect } from 'node:net';

export async function mllp(port) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  let text = '', waiting = null;
  const end = (code) => { const done = waiting; waiting = null; done?.(code); };
  socket.on('data', (chunk) => {
    text += chunk;
    const found = text.match(/\rMSA\|(\w\w)\|/);
    if (!found || !text.includes('\x1c\r')) return;
    text = '';
    end(found[1]);
  });
  socket.on('close', () => end(null));
  return {
    // The answer's code; null when the connection ended without one.
    send: (lines) => new Promise((done) => {
      if (socket.destroyed) return done(null);
      waiting = done;
      socket.write(`\x0b${lines.join('\r')}\r\x1c\r`);
    }),
    close: () => socket.destroy(),
  };
}

// A reading of a device, by its number in millimetres of something that nobody interprets.
export const reading = (device, n, value) => [
  `MSH|^~\\&|SIM|CLINIC|||20261120090312+0700||ORU^R01^ORU_R01|${n}|P|2.6|||NE|AL||UNICODE UTF-8`, 'PID|',
  'OBR|1|||182777000^monitoring of patient^SCT|||20261120090312+0700',
  `OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456|${value}|262688^MDC_DIM_PERCENT^MDC|90-100||||R|||20261120090312+0700||||${device}^^${device}^EUI-64`,
];
