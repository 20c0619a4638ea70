// Until a check gives something true, which comes back; what the check throws is thrown on.

import assert from 'node:assert/strict';

// seconds: how long it may take where the caller says nothing; pause: ms between two looks.
export const untilWithin = (seconds, pause = 100) => async (check, what, within = seconds) => {
  for (const end = Date.now() + within * 1000; ;) {
    const value = await check();
    if (value) return value;
    assert.ok(Date.now() < end, `${what}: not in ${within} s`);
    await new Promise((done) => setTimeout(done, pause));
  }
};
