#!/usr/bin/env node
// Only syntax of Node 12, and no imports: an old Node must get as far as the message.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    'espalier needs Node.js 24 or newer, but this is ' +
      process.versions.node +
      '. Use "npm run -s espalier -- …" in a clone (it brings its own Node), or install Node 24 from https://nodejs.org.\n',
  )
  process.exitCode = 1
} else {
  // The build rewrites the extension: in dist this is ./main.js.
  void import('./main.ts')
}
