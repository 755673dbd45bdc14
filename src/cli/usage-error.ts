/** What the user has to correct before anything runs: told in one message, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
