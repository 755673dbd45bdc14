import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync } from 'node:fs'
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
export type ResultReader = (exitCode: number, stdout: OutputCapture, stderr: OutputCapture) => unknown

/**
 * To be called before the program starts: a file that is there already would be no result of it, and is removed.
 *
 * @throws {EspalierError} `ESP_COMMAND_RESULT` when there can be no such file.
 */
export function prepareResult(jobId: JobId, line: CommandLine, bytesMax: number): ResultReader {
  const { command, cwd = '.', result = 'output' } = line
  const refuse = (expected: string, got: string): never => {
    throw new EspalierError('ESP_COMMAND_RESULT', { jobId, command, expected, got })
  }
  const parse = (text: string, where: string): unknown => {
    try {
      return JSON.parse(text)
    } catch (error) {
      return refuse(`JSON ${where}`, `got ${JSON.stringify(text.slice(0, 80))} (${(error as Error).message})`)
    }
  }
  if (result === 'output') {
    return (exitCode, stdout, stderr) => ({
      exitCode,
      stdout: stdout.text,
      stderr: stderr.text,
      truncated: { stdout: stdout.isTruncated, stderr: stderr.isTruncated },
    })
  }
  if (result === 'json' || result === 'text') {
    return (_, stdout) => {
      const bytes = stdout.bytes ?? refuse(`at most ${bytesMax} bytes on stdout`, 'wrote more')
      const text = (bytes as Buffer).toString('utf8')
      return result === 'text' ? text : parse(text, 'on stdout')
    }
  }
  const path = resolve(cwd, result.file)
  const where = `in the file ${JSON.stringify(path)}`
  const attempt = <Result>(work: () => Result): Result => {
    try {
      return work()
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      return refuse(`JSON ${where}`, code === 'ENOENT' ? 'did not write it' : message)
    }
  }
  attempt(() => rmSync(path, { force: true }))
  return () => {
    // A pipe or a device of this name would be waited for, and nothing else would go on meanwhile.
    const fd = attempt(() => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
    try {
      const stats = fstatSync(fd)
      if (!stats.isFile()) return refuse(`JSON ${where}`, 'left something there that is no file')
      if (stats.size > bytesMax) return refuse(`at most ${bytesMax} bytes ${where}`, `wrote ${stats.size}`)
      return parse(readFileSync(fd, 'utf8'), where)
    } finally {
      closeSync(fd)
    }
  }
}
