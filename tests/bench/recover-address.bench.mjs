// s until pictures go on after a change of address: at the station, and at the browser

import { comebackBench } from '../lib/comeback-bench.mjs';

// The longest time without a picture that began before the second after the change ended.
async function station(call) {
  const since = Date.now();
  await call.link.changeAddress('clinic');
  await call.firstPictureAfter(since + 3000);
  const times = (await call.frames()).filter((time) => time > since - 200);
  return Math.max(...times.slice(1).map((time, i) => time - times[i])) / 1000;
}

// From the browser's first packet of the media's from there; its own network monitor takes 2 s to it.
async function browser(call) {
  const since = Date.now();
  await call.link.changeAddress('hospital');
  await call.dark();
  const shown = (await call.firstPictureAfter(since + 1000)) + since + 1000;
  const { first } = (await call.link.stats()).down;
  const places = [call.link.hospitalAddress, call.link.hospitalAddress6].map((place) => first[`udp ${place}`] ?? Infinity);
  return (shown - Math.min(...places)) / 1000;
}

await comebackBench('recover-address', {
  station: { profile: 'mountain-4g', measure: station },
  browser: { profile: 'mountain-4g', measure: browser },
});
