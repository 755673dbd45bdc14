// XState's own, for rooms that import its values only from here.
export { Actor } from 'xstate'
export { type CompileOptions, compile } from './compile.ts'
export {
  effectNames,
  eventLabel,
  type MermaidOptions,
  type TransitionInfo,
  toMermaid,
  transitionId,
  transitionsOf,
} from './diagram.ts'
export { type EffectTaker, effect } from './effects.ts'
export { Guardian, type GuardianListener } from './guardian.ts'
export { createLightActor, type Inspection, LightActor } from './light-actor.ts'
export { type MachinePath, type MachinePathsOptions, machinePaths } from './paths.ts'
export {
  type Sampled,
  type SampledInspection,
  type SampledInspector,
  type SampleOptions,
  sampleInspection,
} from './sample-inspection.ts'
