export { createInspector, type Inspector, type InspectorOptions, type ListenOptions } from './inspector.ts'
