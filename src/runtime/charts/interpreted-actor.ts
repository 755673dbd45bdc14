import type { AnyActorLogic, AnyEventObject, AnyMachineSnapshot, StateValue } from 'xstate'
import { Actor } from '../../statechart/index.ts'

/** What XState keeps out of the published type of its `Actor`. */
interface OpenActor {
  _snapshot: AnyMachineSnapshot
  _send(event: AnyEventObject): void
  update(snapshot: AnyMachineSnapshot, event: AnyEventObject): void
}
type OpenActorClass = new (...args: ConstructorParameters<typeof Actor<AnyActorLogic>>) => OpenActor

/** XState's own actor, with what a light one has beyond it. */
export class InterpretedActor extends (Actor as unknown as OpenActorClass) {
  get isActive(): boolean {
    return this._snapshot.status === 'active'
  }

  get stateValue(): StateValue {
    return this._snapshot.value
  }

  get context(): unknown {
    return this._snapshot.context
  }

  get output(): unknown {
    return this._snapshot.output
  }

  stepping(_to: StateValue, _hasChanged: boolean, _event: AnyEventObject): void {}

  stepped(): void {}

  /** Where it leads is worked out again. */
  _sendKnown(event: AnyEventObject): void {
    super._send(event)
  }

  override update(snapshot: AnyMachineSnapshot, event: AnyEventObject): void {
    const isStep = event.type !== 'xstate.init'
    if (isStep) this.stepping(snapshot.value, snapshot !== this._snapshot, event)
    super.update(snapshot, event)
    if (isStep) this.stepped()
  }
}
