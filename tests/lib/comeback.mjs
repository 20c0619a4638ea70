// A consultation between a clinic and a hospital over a link that can be cut and whose addresses can
// change (link.mjs), and a specialist's page that tells when each picture was shown.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, openChromium } from './browser.mjs';
import { beginConsultation, invite, picturesMove, watched } from './clinic.mjs';
import { makeLink } from './link.mjs';
import { freePort, line, runStation, setUp, sim, start, stop } from './station.mjs';

const CAMERA = ['video-source-room'];

// Put into the page: when each picture of the camera was presented, on the machine's clock, and what
// the sound's counters said.
function watchTimes() {
  const seen = (globalThis.__times = { frames: [] });
  const watch = (video) => {
    if (seen.video === video) return;
    seen.video = video;
    const look = () => {
      seen.frames.push(performance.timeOrigin + performance.now());
      if (video.isConnected) video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  };
  setInterval(() => document.querySelectorAll('video[data-stream=video-source-room], video').forEach((video) => {
    if ((video.dataset.stream ?? video.dataset.testid) === 'video-source-room') watch(video);
  }), 20);
}

export class Comeback {
  static async make(options = {}) {
    const self = new Comeback();
    try {
      await self.#start(options);
    } catch (error) {
      await self.end();
      throw error;
    }
    return self;
  }

  dir = mkdtempSync(join(tmpdir(), 'nhipcau-comeback-'));
  children = [];

  async #start({ profile = 'fibre', seed = 1, browser = openChromium, config = '' }) {
    this.link = await makeLink(profile, { seed });
    const { clinic, origin } = this.link;
    const rtsp = await freePort();
    const camera = start(sim('sim-camera'), ['--port', String(rtsp), '--name', 'room'], { netns: clinic });
    this.children.push(camera);
    await line(camera, /^ready/);
    camera.stdout.resume();
    camera.stderr.resume();
    this.place = await setUp(this.dir, {
      listen: [origin], names: [origin],
      config: `[camera room]\naddress=rtsp://127.0.0.1:${rtsp}/room\n\n[microphone microphone]\naddress=test:\n${config}`,
    });
    await this.startStation();
    const doctor = await openChromium({ ca: this.place.ca, netns: clinic });
    try {
      await this.#consult(doctor.page, browser);
    } finally {
      await doctor.close();
    }
  }

  // The doctor starts, records, invites and admits; then the page is closed, the consultation goes on.
  async #consult(page, browser) {
    const { place } = this;
    await beginConsultation(page, { ...place, console: `${place.origin}/`, user: place.users[0].id });
    const link = (await invite(page)).replace('localhost', this.link.origin);
    this.specialist = await browser({ ca: place.ca, netns: this.link.hospital });
    this.page = this.specialist.page;
    await watched(this.specialist.context);
    await this.specialist.context.addInitScript(watchTimes);
    await this.page.goto(link);
    await this.page.getByTestId('name').fill('BS. Trần Văn Minh');
    await this.page.getByTestId('join').click();
    await page.getByTestId('admit').click();
    await picturesMove(this.page, CAMERA);
  }

  async startStation() {
    this.station = await runStation(this.place, { unlock: false, netns: this.link.clinic });
    this.log = '';
    this.station.stdout.on('data', (chunk) => { this.log = (this.log + chunk).slice(-200_000); });
    this.station.stderr.on('data', (chunk) => { this.log = (this.log + chunk).slice(-200_000); });
  }

  frames() {
    return this.page.evaluate(() => globalThis.__times.frames);
  }

  // Milliseconds from an instant (Date.now()) to the first picture presented after it. Pictures that
  // were already under way count as well as any: let them pass before.
  async firstPictureAfter(instant, seconds = 30) {
    const first = await eventually(
      async () => (await this.frames()).find((time) => time > instant), seconds, 'a picture is shown again');
    return first - instant;
  }

  // No picture for a second: what was under way is through.
  async dark() {
    await eventually(async () => Date.now() - (await this.frames()).at(-1) > 1000, 30, 'the picture stands still');
  }

  // How many connections the page has made.
  connections() {
    return this.page.evaluate(() => globalThis.__media.connections.length);
  }

  async blackout(seconds) {
    await this.link.cut();
    await new Promise((done) => setTimeout(done, seconds * 1000)); // the length of the outage
    const back = Date.now();
    await this.link.restore();
    return back;
  }

  async kill() {
    const gone = once(this.station, 'exit');
    this.station.kill('SIGKILL');
    await gone;
  }

  async end() {
    await this.specialist?.close();
    for (const child of [this.station, ...this.children]) await stop(child);
    await this.link?.remove();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
