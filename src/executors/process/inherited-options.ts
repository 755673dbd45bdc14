/** Node's options for this process alone: what it runs, and how it is debugged, watched and tested. */
const OWN = /^(-e|-p|-pe|--(eval|print)(=.*)?|--(inspect|debug[-_]port|watch|test|input[-_]type).*)$/s

/**
 * What of Node's options a process hands on to those that it starts.
 *
 * An option and its value may be two arguments; no value begins with a dash.
 *
 * @param execArgv - This process's: `process.execArgv`.
 */
export function inheritedOptions(execArgv: readonly string[]): string[] {
  let isOwn = false
  return execArgv.filter((argument) => {
    if (argument.startsWith('-')) isOwn = OWN.test(argument)
    return !isOwn
  })
}
