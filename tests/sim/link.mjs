// Behind tests/sim/link: commands of a person to a link of tests/lib/link.mjs.

import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { makeLink } from '../lib/link.mjs';

const USAGE = 'see tests/sim/link --help';

function options() {
  try {
    const { values, positionals } = parseArgs({ options: { seed: { type: 'string', default: '1' } }, allowPositionals: true });
    if (positionals.length > 1 || !/^\d+$/.test(values.seed)) throw new Error('one profile, and --seed with a number');
    return { profile: positionals[0] ?? 'mountain-4g', seed: Number(values.seed) };
  } catch (error) {
    console.error(`tests/sim/link: ${error.message}; ${USAGE}`);
    process.exit(2);
  }
}

const wrong = (why) => { throw new Error(`${why}; ${USAGE}`); };
const way = (word) => (word === undefined || ['up', 'down'].includes(word) ? word : wrong(`${word} is no way: up, down`));

function numbers(words) {
  return Object.fromEntries(words.map((word) => {
    const [, key, value] = word.match(/^(rate|delay|jitter|loss|burst|queue)=([\d.]+)$/) ?? wrong(`${word} is no setting`);
    return [key, Number(value)];
  }));
}

const seconds = (word) => (Number(word) >= 0 ? Number(word) : wrong(`${word} is no number of seconds`));

const commands = {
  set: (link, to, ...words) => link.set({ [way(to) ?? wrong('set needs a way')]: numbers(words) }),
  profile: (link, name) => link.become(name ?? wrong('profile needs a name')),
  cut: (link, one) => link.cut(way(one)),
  restore: (link, one) => link.restore(way(one)),
  address: (link, side, gap = '0') => ['clinic', 'hospital'].includes(side)
    ? link.changeAddress(side, { gap: seconds(gap) }) : wrong('address needs clinic or hospital'),
  play: (link, length = '120') => link.play(seconds(length)),
  stats: (link) => link.stats(),
  at: (link, when, ...words) => link.at(seconds(when), () => obey(link, words), say),
};

const say = (result) => console.log(result instanceof Error ? result.message
  : typeof result === 'object' ? JSON.stringify(result) : result ?? 'ok');

async function obey(link, [name, ...words]) {
  if (!Object.hasOwn(commands, name)) wrong(`${name} is no command`);
  say(await commands[name](link, ...words));
}

const { profile, seed } = options();
const link = await makeLink(profile, { seed }).catch((error) => {
  console.error(`tests/sim/link: ${error.message.trim()}`);
  process.exit(1);
});
console.log(`clinic    ${link.clinic}  ${link.clinicAddress}  ${link.clinicAddress6}  (stays: ${link.origin})
hospital  ${link.hospital}  ${link.hospitalAddress}  ${link.hospitalAddress6}
profile   ${JSON.stringify(link.profile)}`);
const lines = createInterface({ input: process.stdin });
process.once('SIGINT', () => lines.close());
for await (const line of lines) {
  const words = line.trim().split(/\s+/).filter(Boolean);
  if (words.length > 0) await obey(link, words).catch(say);
}
await link.remove();
