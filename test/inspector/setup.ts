import { buildInspectorIfOutdated } from '../../scripts/build-inspector.ts'

/** Builds the inspector's page before any test. */
export default buildInspectorIfOutdated
