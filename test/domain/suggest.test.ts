import { describe, expect, test } from 'vitest'
import { nearestName } from '../../src/domain/suggest.ts'

const known = ['maxRetries', 'timeoutMs', 'priority', 'score', 'key']

describe('the name that was meant', () => {
  test.each([
    ['maxRetry', 'maxRetries'],
    ['retries', 'maxRetries'],
    ['maxretries', 'maxRetries'],
    ['timeout', 'timeoutMs'],
    ['timeoutms', 'timeoutMs'],
    ['prioritty', 'priority'],
    ['pirority', 'priority'],
    ['scoer', 'score'],
    ['kye', 'key'],
  ])('by "%s" is "%s"', (given, meant) => {
    expect(nearestName(given, known)).toBe(meant)
  })

  test.each([[''], ['x'], ['color'], ['constructor'], ['key'.repeat(30)]])(
    'by "%s" cannot be told',
    (given) => {
      expect(nearestName(given, known)).toBeUndefined()
    },
  )
})
