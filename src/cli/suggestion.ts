import type { Command } from 'commander'
import { nearestName } from '../domain/suggest.ts'

/**
 * Adds what was most likely meant to an error about an unknown option. Commander itself suggests only what differs in
 * three letters, so nothing for an option that was cut short.
 *
 * @param name - The command that was called.
 */
export function withSuggestion(error: string, program: Command, name: string | undefined): string {
  const given = /unknown option '(--[\w-]+)/.exec(error)?.[1]
  if (given === undefined || error.includes('Did you mean')) return error
  const command = program.commands.find((known) => known.name() === name) ?? program
  const flags = command.options.flatMap(({ long }) => long ?? [])
  const nearest = nearestName(given, flags)
  return nearest === undefined ? error : `${error.trimEnd()}\n(Did you mean ${nearest}?)\n`
}
