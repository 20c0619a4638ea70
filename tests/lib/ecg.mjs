// A patient's ECG, pleth and breathing as functions of time, and a monitor that sends them as
// waves of HL7 v2 (IHE PCD WCM) over MLLP.

import { connect } from 'node:net';
import { once } from 'node:events';

const bell = (x, middle, width, height) => height * Math.exp(-(((x - middle) / width) ** 2) / 2);

// P, Q, R, S, T of a heartbeat at rest: seconds after its beginning, width, millivolts in lead II.
const BEAT = [[0.10, 0.022, 0.14], [0.185, 0.008, -0.12], [0.205, 0.011, 1.15], [0.228, 0.009, -0.24], [0.42, 0.045, 0.28]];
// How each lead sees them, against lead II.
const SEEN = {
  I: [0.6, 0.6, 0.55, 0.4, 0.6], II: [1, 1, 1, 1, 1], V1: [0.4, 0, 0.2, 3.4, -0.3], V2: [0.5, 0, 0.4, 4.6, 1.2],
  V3: [0.5, 0.2, 0.7, 3, 1.4], V4: [0.6, 0.8, 1.3, 1.8, 1.3], V5: [0.7, 1, 1.2, 1, 1.1], V6: [0.7, 1, 0.9, 0.5, 0.9],
};
export const LEADS = Object.keys(SEEN);

// Millivolts of a lead at `t` seconds, at so many beats a minute.
export function ecg(t, lead = 'II', rate = 75) {
  const x = t % (60 / rate);
  const seen = SEEN[lead];
  return BEAT.reduce((sum, [middle, width, height], i) => sum + bell(x, middle, width, height * seen[i]), 0)
    + 0.03 * Math.sin(2 * Math.PI * 0.25 * t);
}

export function pleth(t, rate = 75) {
  const x = ((t - 0.25 + 10) % (60 / rate)) / (60 / rate);
  return bell(x, 0.22, 0.09, 1) + bell(x, 0.5, 0.09, 0.42);
}

export const breath = (t, rate = 16) => Math.sin(2 * Math.PI * rate / 60 * t);

const MDC = {
  I: '131329^MDC_ECG_ELEC_POTL_I', II: '131330^MDC_ECG_ELEC_POTL_II', V1: '131331^MDC_ECG_ELEC_POTL_V1',
  V2: '131332^MDC_ECG_ELEC_POTL_V2', V3: '131333^MDC_ECG_ELEC_POTL_V3', V4: '131334^MDC_ECG_ELEC_POTL_V4',
  V5: '131335^MDC_ECG_ELEC_POTL_V5', V6: '131336^MDC_ECG_ELEC_POTL_V6', pleth: '150452^MDC_PULS_OXIM_PLETH',
  resp: '151562^MDC_RESP',
};

const stamp = (ms) => `${new Date(ms).toISOString().replace(/[-T:Z]/g, '')}+0000`;

// Sends windows of `windowMs` in step with the clock, until stop(). `value(signal, t)`: what a signal
// is at t seconds after the start, in its unit.
export class WaveMonitor {
  #timer = null;
  #sent = 0;
  #since = 0;
  #stretches = [];

  constructor(port, { signals, windowMs = 200, device = '0004A3FFFE5D0001', patient = '', value } = {}) {
    Object.assign(this, { port, windowMs, device, patient, value });
    // Name, samples a second, units of one step.
    this.signals = signals ?? [...LEADS.map((name) => ({ name, rate: 500, step: 0.0025 }))];
  }

  async start() {
    this.socket = connect(this.port, '127.0.0.1');
    this.socket.on('error', () => {});
    this.socket.resume();
    await once(this.socket, 'connect');
    this.began = Date.now();
    this.#timer = setInterval(() => this.#send(), this.windowMs / 4);
  }

  stop() {
    clearInterval(this.#timer);
    this.socket.destroy();
  }

  // Stretches of windows that were sent, [from, to): a new one after each skip().
  windows() {
    return [...this.#stretches, { from: this.#since, to: this.#sent }];
  }

  // Says nothing for so long; its clock goes on.
  skip(ms) {
    this.#stretches.push({ from: this.#since, to: this.#sent });
    this.#sent += Math.round(ms / this.windowMs);
    this.#since = this.#sent;
  }

  // What was sent, as steps: sample i of a signal.
  sample(signal, i) {
    return Math.round(this.value(signal.name, i / signal.rate) / signal.step) + 0; // never -0
  }

  #send() {
    while (Date.now() - this.began >= (this.#sent + 1) * this.windowMs) {
      this.socket.write(Buffer.from(`\x0b${this.#message(this.#sent)}\x1c\r`));
      this.#sent++;
    }
  }

  #message(n) {
    const from = this.began + n * this.windowMs;
    const rows = [
      `MSH|^~\\&|SIM_WAVES^${this.device}^EUI-64|TYT|||${stamp(from + this.windowMs)}||ORU^R01^ORU_R01|W${from}|P|2.6|||NE|NE||UNICODE UTF-8`,
      `PID|||${this.patient}`, 'PV1||O',
      `OBR|1|||69121^MDC_OBS_WAVE_CTS^MDC|||${stamp(from)}|${stamp(from + this.windowMs)}`,
    ];
    let row = 0;
    this.signals.forEach((signal, i) => {
      const place = `1.${1 + Math.floor(i / 8)}.${i + 1}.${MDC[signal.name].split('^')[0]}`;
      const count = (signal.rate * this.windowMs) / 1000;
      const samples = Array.from({ length: count }, (_, k) => this.sample(signal, n * count + k));
      const unit = signal.unit ?? '266418^MDC_DIM_MILLI_VOLT^MDC';
      rows.push(`OBX|${++row}|NA|${MDC[signal.name]}^MDC|${place}|${samples.join('^')}||||||R|||${stamp(from)}`);
      rows.push(`OBX|${++row}|NM|68320^MDC_ATTR_SAMP_RATE^MDC|${place}.1|${signal.rate}|264608^MDC_DIM_HZ^MDC|||||R`);
      rows.push(`OBX|${++row}|NM|67945^MDC_ATTR_NU_MSMT_RES^MDC|${place}.2|${signal.step}|${unit}|||||R`);
    });
    return `${rows.join('\r')}\r`;
  }
}
