// Compiles the tests of src/test into a temporary folder and runs them with Node's own runner.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, stop } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const tests = readdirSync(join(root, 'src/test')).filter((name) => name.endsWith('.test.ts'))
const out = mkdtempSync(join(tmpdir(), 'nhipcau-pages-'))
let code = 1
try {
  await build({
    entryPoints: tests.map((name) => join(root, 'src/test', name)), outdir: out, bundle: true,
    platform: 'node', format: 'esm', target: 'node18', outExtension: { '.js': '.mjs' },
    jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'warning',
    define: { SOURCE_FOLDER: JSON.stringify(join(root, 'src')) },
  })
  await stop() // its service would outlive the tests
  const files = tests.map((name) => join(out, name.replace(/\.ts$/, '.mjs')))
  code = spawnSync(process.execPath, ['--test', '--test-reporter=tap', ...files], { stdio: 'inherit' }).status ?? 1
} finally {
  rmSync(out, { recursive: true, force: true })
}
process.exit(code)
