// s from the link's return to the first picture, after blackouts of 10 s and 60 s

import { comebackBench } from '../lib/comeback-bench.mjs';

const after = (seconds) => async (call) => {
  const back = await call.blackout(seconds);
  return (await call.firstPictureAfter(back)) / 1000;
};

await comebackBench('recover-blackout', {
  '10 s': { profile: 'mountain-4g', measure: after(10) },
  '60 s': { profile: 'mountain-4g', measure: after(60) },
});
