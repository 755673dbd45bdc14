import { readFileSync, rmSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CommandLine } from '../domain/command.ts'
import { EspalierError } from '../domain/errors.ts'
import type { JobId } from '../domain/job.ts'
import type { OutputCapture } from './output-capture.ts'

/**
 * Reads the value that a program has left.
 *
 * @throws {EspalierError} `ESP_COMMAND_RESULT` when it has not left what was wanted.
 */
export type ResultReader = (
  jobId: JobId,
  exitCode: number,
  stdout: OutputCapture,
  stderr: OutputCapture,
) => unknown

/** To be called before the program starts: a file that is there already would be no result of it, and is removed. */
export function prepareResult(line: CommandLine, bytesMax: number): ResultReader {
  const { command, cwd = '.', result = 'output' } = line
  const refuse = (jobId: JobId, expected: string, got: string): never => {
    throw new EspalierError('ESP_COMMAND_RESULT', { jobId, command, expected, got })
  }
  const parse = (jobId: JobId, text: string, where: string): unknown => {
    try {
      return JSON.parse(text)
    } catch (error) {
      return refuse(
        jobId,
        `JSON ${where}`,
        `got ${JSON.stringify(text.slice(0, 80))} (${(error as Error).message})`,
      )
    }
  }
  if (result === 'output') {
    return (_, exitCode, stdout, stderr) => ({
      exitCode,
      stdout: stdout.text,
      stderr: stderr.text,
      truncated: { stdout: stdout.isTruncated, stderr: stderr.isTruncated },
    })
  }
  if (result === 'json' || result === 'text') {
    return (jobId, _, stdout) => {
      const bytes = stdout.bytes ?? refuse(jobId, `at most ${bytesMax} bytes on stdout`, 'wrote more')
      const text = (bytes as Buffer).toString('utf8')
      return result === 'text' ? text : parse(jobId, text, 'on stdout')
    }
  }
  const path = resolve(cwd, result.file)
  rmSync(path, { force: true })
  return (jobId) => {
    const where = `in the file ${JSON.stringify(path)}`
    const size = statSync(path, { throwIfNoEntry: false })?.size
    if (size === undefined) return refuse(jobId, `JSON ${where}`, 'did not write it')
    if (size > bytesMax) return refuse(jobId, `at most ${bytesMax} bytes ${where}`, `wrote ${size}`)
    return parse(jobId, readFileSync(path, 'utf8'), where)
  }
}
