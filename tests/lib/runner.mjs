// Runs every test of the house and counts them. Called by tests/run after the build.
//
// A job is one program that speaks TAP (g_test, node --test) or tells by its exit status alone.
// Jobs of the same lane run one after the other; browser and scenario tests have a lane of
// their own, so that they do not starve each other on two cores.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, createWriteStream, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const root = resolve(new URL('.', import.meta.url).pathname, '../..');
const logs = join(root, 'build/test-logs');
const args = process.argv.slice(2);
const long = args.includes('--long');
const pattern = args.find((a) => !a.startsWith('--')) ?? '';
const unknown = args.filter((a) => a.startsWith('--') && a !== '--long');
if (unknown.length > 0) {
  console.error(`tests/run: unknown option ${unknown[0]}; allowed: --long --no-install`);
  process.exit(2);
}

const minutes = (n) => n * 60_000;
const list = (dir, test) =>
  existsSync(join(root, dir)) ? readdirSync(join(root, dir)).filter(test).sort() : [];
const env = (extra = {}) => ({
  ...process.env,
  ...(long ? { NHIPCAU_LONG: '1' } : {}),
  G_MESSAGES_DEBUG: '',
  G_SLICE: 'always-malloc',
  NHIPCAU_DICOM: join(root, 'build/station/nhipcau-dicom'), // which the parent would look for beside itself
  ...extra,
});

// ---- Builds -------------------------------------------------------------------------------

const variants = {
  asan: { options: ['-Doptimization=1', '-Db_sanitize=address,undefined', '-Db_lundef=false'], cc: 'gcc' },
  tsan: { options: ['-Db_sanitize=thread', '-Db_lundef=false', '-Dpages=false'], cc: 'gcc' },
  fuzz: {
    options: ['-Dfuzz=true', '-Doptimization=1', '-Db_sanitize=address,undefined', '-Db_lundef=false', '-Dpages=false'],
    cc: 'clang',
  },
};

// Of a variant only what the wanted jobs run: whole builds are the longest part of a run. Scenarios and
// browsers want all of it.
function targets(name) {
  const mine = wanted.filter(({ variant }) => variant === name);
  return mine.every(({ target }) => target) ? [...new Set(mine.map(({ target }) => target))] : [];
}

function build(name) {
  const dir = join(root, `build-${name}`);
  const { options, cc } = variants[name];
  const run = (command, argv) => {
    const done = spawnSync(command, argv, { cwd: root, env: { ...process.env, CC: cc }, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`${command} ${argv.join(' ')}\n${done.stdout}${done.stderr}`);
  };
  if (!existsSync(join(dir, 'build.ninja'))) run('meson', ['setup', dir, ...options]);
  run('ninja', ['-C', dir, ...targets(name)]);
  return dir;
}

const sanitizer = {
  asan: {
    ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=0:exitcode=99:detect_stack_use_after_return=1',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    LSAN_OPTIONS: `suppressions=${join(root, 'tests/lsan.supp')}`,
  },
  tsan: { TSAN_OPTIONS: `suppressions=${join(root, 'tests/tsan.supp')}:exitcode=99:halt_on_error=0` },
};

// ---- Jobs ---------------------------------------------------------------------------------

const jobs = [];
const job = (name, command, argv, more = {}) =>
  jobs.push({ name, command, argv, timeout: minutes(3), lane: 'quick', ...more });

for (const script of list('tests/unit', (f) => f.endsWith('.mjs')))
  job(`house/${basename(script, '.test.mjs')}`, 'node',
    ['--test', '--test-reporter=tap', join('tests/unit', script)]);

if (existsSync(join(root, 'station/web/package.json')))
  job('pages/unit', 'npm', ['test', '--silent', '--prefix', 'station/web']);

const units = list('tests/unit', (f) => /^test-.*\.c$/.test(f)).map((f) => f.slice(5, -2));
// GStreamer, GLib's type system and the drivers below them keep what they load.
const notUnderValgrind = new Set(['source', 'source-rtsp', 'mux']);
// Sanitizers and valgrind take the long form, or are named: tests/run asan/ (or tsan/, valgrind/).
// The parsers of what is hostile go through AddressSanitizer always.
const asked = (name) => long || pattern.startsWith(name);
// What GStreamer's plugins make is told from leaks by whole stacks only, which cost time.
const deepStacks = (variant, unit) => variant === 'asan' && notUnderValgrind.has(unit)
  ? { ASAN_OPTIONS: `${sanitizer.asan.ASAN_OPTIONS}:fast_unwind_on_malloc=0`, NHIPCAU_SLOW: '1' } : {};
const hostile = new Set(['authority', 'config', 'data-key', 'dtls', 'comparison', 'ecg-files', 'ecg-scp', 'ecg-wfdb', 'est', 'gatt', 'gatt-vectors', 'hl7',
  'hl7-vendors', 'id-token', 'links', 'payload', 'peer-check', 'protocol', 'rtp-packet', 'rtp-session', 'rtp-streams', 'sctp', 'sdp', 'twcc', 'visits',
  'wave-codec', 'whip']);
// What is drawn by lot is drawn anew by --long alone: a change is judged by what it changed.
const drawn = long ? [] : ['--seed=R02S4e6869705f43e1baa7755f76616e5f31'];
for (const unit of units) {
  const program = (dir) => join(dir, 'tests/unit', `test-${unit}`);
  const checked = (variant) => job(`${variant}/unit/${unit}`, program(`build-${variant}`), ['--tap', '-k', ...drawn],
    { variant, target: join('tests/unit', `test-${unit}`), env: { ...sanitizer[variant], ...deepStacks(variant, unit), NHIPCAU_LONG: undefined }, timeout: minutes(15) });
  job(`unit/${unit}`, program('build'), ['--tap', '-k', ...drawn], { timeout: minutes(long ? 90 : 8) });
  if (asked('asan') || hostile.has(unit)) checked('asan');
  if (asked('tsan')) checked('tsan');
  if (asked('valgrind') && !notUnderValgrind.has(unit))
    job(`valgrind/unit/${unit}`, 'valgrind',
      ['-q', '--fair-sched=yes', '--error-exitcode=99', '--leak-check=full',
        '--errors-for-leak-kinds=definite', program('build'), '--tap', '-k'],
      { env: { NHIPCAU_SLOW: '1', NHIPCAU_PATIENCE: '30', NHIPCAU_LONG: undefined }, timeout: minutes(20) });
}

const harnesses = list('tests/fuzz', (f) => /^fuzz-.*\.c$/.test(f)).map((f) => f.slice(0, -2));
// A station keeps what it was told: leaks show at the end, not after each input.
const stateful = ['protocol'];
for (const harness of harnesses)
  job(`fuzz/${harness.slice(5)}`, join('build-fuzz/tests/fuzz', harness),
    [join('build-fuzz', `found-${harness}`), join('tests/fuzz/corpus', harness.slice(5)),
      ...(long ? ['-max_total_time=300'] : ['-max_total_time=12', '-runs=3000', '-seed=1']), '-timeout=10', '-rss_limit_mb=2048',
      ...(stateful.includes(harness.slice(5)) ? ['-detect_leaks=0'] : []),
      '-max_len=65536', '-print_final_stats=1', `-artifact_prefix=build-fuzz/${harness}-`],
    { variant: 'fuzz', target: join('tests/fuzz', harness), timeout: minutes(long ? 8 : 3),
      env: { LSAN_OPTIONS: sanitizer.asan.LSAN_OPTIONS },
      prepare: () => mkdirSync(join(root, 'build-fuzz', `found-${harness}`), { recursive: true }) });

// They wait more than they work, and none of their conditions is a matter of tenths of a second: two at a time.
const patient = new Set([
  'scenario/accounts', 'scenario/bluetooth', 'scenario/broker-words', 'scenario/certificate-keys', 'scenario/certificates',
  'scenario/clock', 'scenario/command', 'scenario/console', 'scenario/desk-sign-in', 'scenario/device-command',
  'scenario/devices', 'scenario/dicom', 'scenario/ecg', 'scenario/ecg-files', 'scenario/evil-broker', 'scenario/flips',
  'scenario/interop', 'scenario/keys', 'scenario/monitors', 'scenario/nats-cluster', 'scenario/ocsp',
  'scenario/outbox-recording', 'scenario/restamp', 'scenario/restart', 'scenario/roles', 'scenario/secrets', 'scenario/serial',
  'scenario/specialist-tokens', 'scenario/station-kills', 'scenario/tpm-pin', 'scenario/visits', 'scenario/wave-kills',
  'scenario/whip', 'scenario/witnesses', 'browser/accounts', 'browser/bluetooth', 'browser/dicom', 'browser/dicom-guest',
  'browser/monitors', 'browser/own-keys', 'browser/serial',
]);
const nodeTest = (suite, lane, more = {}) => {
  for (const file of list(`tests/${suite}`, (f) => f.endsWith('.test.mjs'))) {
    const name = `${suite}/${basename(file, '.test.mjs')}`;
    job(`${more.prefix ?? ''}${name}`, 'node', ['--test', '--test-reporter=tap', join(`tests/${suite}`, file)],
      { timeout: minutes(long ? 90 : 15), lane: patient.has(name) ? 'patient' : lane, ...more });
  }
};
nodeTest('scenario', 'slow');
nodeTest('browser', 'slow');
if (asked('asan'))
  for (const suite of ['scenario', 'browser'])
    nodeTest(suite, 'slow', {
      prefix: 'asan/', variant: 'asan',
      // Leaks are looked for in the units: here plugins and GLib's own start would hide them.
      env: { ...sanitizer.asan, ASAN_OPTIONS: sanitizer.asan.ASAN_OPTIONS.replace('detect_leaks=1', 'detect_leaks=0'),
        NHIPCAU_BUILD: join(root, 'build-asan') },
    });
if (long) nodeTest('long', 'slow');

// ---- Running ------------------------------------------------------------------------------

// TAP by g_test and by node --test: top-level points; node's summary when there is one.
function count(output, status) {
  const summary = (word) => {
    const m = [...output.matchAll(new RegExp(`^# ${word} (\\d+)$`, 'gm'))].at(-1);
    return m ? Number(m[1]) : null;
  };
  if (summary('pass') !== null) {
    const failed = (summary('fail') ?? 0) + (summary('cancelled') ?? 0);
    return { passed: summary('pass'), failed: failed || (status === 0 ? 0 : 1), skipped: summary('skipped') ?? 0 };
  }
  let passed = 0, failed = 0, skipped = 0;
  for (const line of output.split('\n')) {
    if (/^not ok /.test(line)) failed++;
    else if (/^ok .*# SKIP/i.test(line)) skipped++;
    else if (/^ok /.test(line)) passed++;
  }
  if (passed + failed + skipped === 0) return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 };
  return { passed, failed: failed || (status === 0 ? 0 : 1), skipped };
}

function run(one) {
  return new Promise((done) => {
    one.prepare?.();
    const log = join(logs, `${one.name.replaceAll('/', '-')}${one.second ? '-second' : ''}.log`);
    const file = createWriteStream(log);
    const started = Date.now();
    const child = spawn(one.command, one.argv, {
      cwd: root, env: env(one.env), stdio: ['ignore', 'pipe', 'pipe'], detached: true,
    });
    let timedOut = false;
    // The whole group: a test that hangs may have children of its own.
    const timer = setTimeout(() => {
      timedOut = true;
      try { process.kill(-child.pid, 'SIGKILL'); } catch { /* gone already */ }
    }, one.timeout);
    child.stdout.pipe(file, { end: false });
    child.stderr.pipe(file, { end: false });
    child.on('error', (error) => file.write(`${error}\n`));
    child.on('close', (status) => {
      clearTimeout(timer);
      file.end(timedOut ? `\ntimed out after ${one.timeout / 1000} s\n` : '', () => {
        const output = readFileSync(log, 'utf8');
        const result = count(output, timedOut ? 1 : (status ?? 1));
        done({ ...result, log, output, seconds: (Date.now() - started) / 1000 });
      });
    });
  });
}

const wanted = jobs.filter((j) => j.name.includes(pattern));
if (wanted.length === 0) {
  console.error(`tests/run: no test matches "${pattern}". Names begin with: ` +
    [...new Set(jobs.map((j) => j.name.split('/')[0]))].join(', '));
  process.exit(2);
}
mkdirSync(logs, { recursive: true });

const total = { passed: 0, failed: 0, skipped: 0 };
function report(one, result, again = false) {
  if (!again) for (const key of Object.keys(total)) total[key] += result[key];
  const word = !result.failed ? 'ok' : again ? 'again' : 'FAILED';
  console.log(`${word.padEnd(6)} ${one.name}${one.second ? ' (second run)' : ''}  ${result.passed} passed` +
    `${result.failed ? `, ${result.failed} failed` : ''}${result.skipped ? `, ${result.skipped} skipped` : ''}` +
    `  ${result.seconds.toFixed(1)} s`);
  if (result.failed) {
    console.log(result.output.split('\n').slice(-120).map((l) => `    ${l}`).join('\n'));
    console.log(`    whole log: ${result.log}`);
  }
}

const built = new Map();
function ready(variant) {
  if (!variant) return null;
  if (!built.has(variant)) {
    try {
      console.log(`build  build-${variant}`);
      build(variant);
      built.set(variant, null);
    } catch (error) {
      built.set(variant, error.message);
    }
  }
  return built.get(variant);
}

// Slow jobs mind their timing: they run alone. Quick ones run two at a time.
// One of those with browsers or networks that failed runs once more when all others are through, since a machine that is shared
// stands still now and then: what fails twice has failed. The first failure is printed and kept.
async function lane(queue, width, again) {
  const worker = async () => {
    for (let one = queue.shift(); one; one = queue.shift()) {
      const broken = ready(one.variant);
      const result = broken
        ? { passed: 0, failed: 1, skipped: 0, seconds: 0, output: broken, log: '-' }
        : await run(one);
      const retry = Boolean(again && result.failed && !broken);
      report(one, result, retry);
      if (retry) again.push({ ...one, second: true });
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}
const again = [];
await lane(wanted.filter((j) => j.lane === 'quick'), 2);
await lane(wanted.filter((j) => j.lane === 'patient'), 2, again);
await lane(wanted.filter((j) => j.lane === 'slow'), 1, again);
const unsteady = again.map(({ name }) => name);
await lane(again, 1);
if (unsteady.length > 0) console.log(`\nran twice: ${unsteady.join(', ')}`);

console.log(`\n${total.passed} passed, ${total.failed} failed` + (total.skipped ? `, ${total.skipped} skipped` : ''));
process.exit(total.failed ? 1 : 0);
