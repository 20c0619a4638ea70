import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

// A script's or style's name has the hash of what is in it: browsers keep it for good.
export default {
  root: here,
  base: '/',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    emptyOutDir: true,
    // An inlined asset would be a data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      input: { console: resolve(here, 'console.html'), join: resolve(here, 'join.html'), desk: resolve(here, 'desk.html') },
      output: {
        hashCharacters: 'hex',
        entryFileNames: 'assets/[name]-[hash:8].js',
        chunkFileNames: 'assets/[name]-[hash:8].js',
        assetFileNames: 'assets/[name]-[hash:8][extname]',
        // The way through a broker is fetched by who needs it.
        manualChunks: (id) => /\/node_modules\/(mqtt|jose)\/|\/src\/rendezvous\//.test(id) ? 'rendezvous'
          : id.includes('/node_modules/uplot/') || id.includes('/node_modules/oauth4webapi/') || id.includes('/src/console/') || id.includes('/src/join/') || id.includes('/src/desk/') || id.endsWith('.html')
            ? undefined
            : 'shared',
      },
    },
  },
}
