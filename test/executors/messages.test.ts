import { describe, expect, test } from 'vitest'
import { type Task, TaskReader, TaskWriter } from '../../src/executors/worker/messages.ts'

const task = (number: number, module: string, name = 'default'): Task => ({
  ...{ number, module, export: name, jobId: `j${number}`, attempt: 1 },
  ...{ nodeId: undefined, treeId: undefined, args: undefined, parentResults: undefined },
  memoryLimitBytes: undefined,
})

describe('tasks on their way to a thread or process', () => {
  test('arrive as they were, whatever was left out since the task before had it', () => {
    const tasks = [
      task(1, 'a.js'),
      task(2, 'a.js'),
      task(3, 'a.js', 'other'),
      task(4, 'b.js', 'other'),
      { ...task(5, 'b.js', 'other'), args: [1], memoryLimitBytes: 7 },
      task(6, 'a.js'),
    ]
    const writer = new TaskWriter()
    const reader = new TaskReader()
    const messages = tasks.map((each) => writer.write(each))
    expect(messages.map((message) => reader.read(message))).toEqual(tasks)
    expect(messages[1]).not.toContain('a.js')
  })

  test('say all of it again after one that was not sent', () => {
    const writer = new TaskWriter()
    writer.write(task(1, 'a.js'))
    writer.forget()
    expect(new TaskReader().read(writer.write(task(2, 'a.js')))).toEqual(task(2, 'a.js'))
  })
})
