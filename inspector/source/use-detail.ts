import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { getJson, hasPool } from './api.ts'
import { messageOf } from './recorded.ts'

export interface Fetched<Body> {
  readonly body?: Body
  readonly error?: string
}

/** What the server tells of its pool at a path; asked again when `version` changes. Nothing for a recording. */
export function useDetail<Body>(path: string | undefined, version: unknown): Fetched<Body> {
  const fetched = useSignal<Fetched<Body>>({})
  useEffect(() => {
    if (path === undefined || !hasPool()) {
      fetched.value = {}
      return undefined
    }
    const abort = new AbortController()
    getJson<Body>(path, abort.signal).then(
      (body) => {
        fetched.value = { body }
      },
      (error) => {
        if (!abort.signal.aborted) fetched.value = { error: messageOf(error) }
      },
    )
    return () => abort.abort()
  }, [path, version])
  return fetched.value
}
