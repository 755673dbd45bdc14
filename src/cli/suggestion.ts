import type { Command } from 'commander'
import { nearestName } from '../domain/suggest.ts'

/**
 * Adds what was most likely meant to an error about an unknown option or command, where commander has not: it suggests only
 * what differs in three letters, so nothing for an option that was cut short, and nothing for a command whose help was asked for.
 *
 * @param name - The command that was called.
 */
export function withSuggestion(error: string, program: Command, name: string | undefined): string {
  const [, kind, given] = /unknown (option|command) '([\w-]+)/.exec(error) ?? []
  if (given === undefined || error.includes('Did you mean')) return error
  const command = program.commands.find((known) => known.name() === name) ?? program
  const known =
    kind === 'command'
      ? program.commands.map((other) => other.name())
      : command.options.flatMap(({ long }) => long ?? [])
  const nearest = nearestName(given, known)
  return nearest === undefined ? error : `${error.trimEnd()}\n(Did you mean ${nearest}?)\n`
}
