// The simulated clinic on one side of a link, a specialist on the other, met in one consultation.

import { openChromium } from './browser.mjs';
import { askToJoin, picturesMove, signIn, tryClinic, watched } from './clinic.mjs';
import { makeLink } from './link.mjs';

export class Meeting {
  // scripts: put into each page before its own. Resolves when the specialist sees these pictures.
  static async over(profile, { scripts = [], pictures = ['video-source-room'] } = {}) {
    const self = new Meeting();
    try {
      await self.#begin(profile, scripts, pictures);
    } catch (error) {
      await self.end();
      throw error;
    }
    return self;
  }

  async #begin(profile, scripts, pictures) {
    const link = (this.link = await makeLink(profile));
    const clinic = (this.clinic = await tryClinic({ netns: link.clinic, args: ['--listen', link.origin] }));
    this.doctor = await openChromium({ ca: clinic.ca, netns: link.clinic });
    this.specialist = await openChromium({ ca: clinic.ca, netns: link.hospital });
    for (const { context } of [this.doctor, this.specialist]) {
      await watched(context);
      for (const script of scripts) await context.addInitScript(script);
    }
    await signIn(this.doctor.page, clinic);
    await askToJoin(this.specialist.page, { specialist: clinic.specialist.replace('localhost', link.origin) });
    await this.doctor.page.getByTestId('admit').click();
    await picturesMove(this.specialist.page, pictures);
  }

  async end() {
    await this.specialist?.close();
    await this.doctor?.close();
    await this.clinic?.end();
    await this.link?.remove();
  }
}
