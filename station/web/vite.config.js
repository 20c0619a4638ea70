import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

// File names are fixed: the program finds the pages by name in its GResource.
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
      input: { console: resolve(here, 'console.html'), join: resolve(here, 'join.html') },
      output: {
        entryFileNames: 'assets/[name].js',
        chunkFileNames: 'assets/[name].js',
        assetFileNames: 'assets/[name][extname]',
        manualChunks: (id) =>
          id.includes('/src/console/') || id.includes('/src/join/') || id.endsWith('.html')
            ? undefined
            : 'shared',
      },
    },
  },
}
