import { join } from 'node:path'
import { defineConfig } from 'vite'

const root = import.meta.dirname

// Two outputs of one app: the served page, its views loaded when they are first shown, and (`--mode report`) one
// script and one style sheet, which the build puts into a single file.
export default defineConfig(({ mode }) => {
  const isReport = mode === 'report'
  return {
    root,
    base: './',
    publicDir: false,
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: join(root, '..', 'dist', isReport ? 'inspector-report' : 'inspector'),
      emptyOutDir: true,
      target: ['chrome123', 'firefox120', 'safari17.5'],
      // Icons stay files: the page's policy allows no `data:` images, and the report has none.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      cssCodeSplit: !isReport,
      reportCompressedSize: false,
      rolldownOptions: isReport
        ? {
            output: {
              format: 'iife',
              codeSplitting: false,
              entryFileNames: 'report.js',
              assetFileNames: 'report[extname]',
            },
          }
        : {},
    },
  }
})
