import { Actor, type AnyActorLogic, type AnyActorRef, type AnyEventObject } from 'xstate'
import { LightActor } from './light-actor.ts'

/** What a {@link Guardian} hears from the actor it looks after. */
export interface GuardianListener {
  done(output: unknown): void
  failed(error: unknown): void
  /** An event that the actor has sent to its parent. */
  told(event: AnyEventObject): void
}

/**
 * Runs one actor of any logic in the system of another, and stands in as its parent.
 *
 * A machine that is a parent itself keeps its children in its snapshot, and fails with a child that fails. In inspection the
 * guardian is a child of `parent`, and its ward a child of the guardian.
 */
export class Guardian extends LightActor<AnyActorLogic> {
  /** Not started yet. */
  readonly ward: AnyActorRef
  readonly #listener: GuardianListener

  constructor(
    parent: AnyActorRef,
    ids: { readonly guardian: string; readonly ward: string },
    logic: AnyActorLogic,
    input: unknown,
    listener: GuardianListener,
  ) {
    super(idle, { parent, id: ids.guardian })
    this.#listener = listener
    this.start()
    this.ward = new Actor(logic, { parent: this as unknown as AnyActorRef, id: ids.ward, input })
  }

  /** Ends the ward, which is not heard of any more, and the guardian with it. */
  end(): void {
    this.stopChild(this.ward)
    this._stop()
  }

  /** Only the ward sends to it. */
  override _send(event: AnyEventObject): void {
    if (event.type === 'xstate.stop') super._send(event)
    else if (event.type === `xstate.done.actor.${this.ward.id}`)
      this.#listener.done(resultOf(event, this.ward))
    else if (event.type === `xstate.error.actor.${this.ward.id}`) this.#listener.failed(event.error)
    else this.#listener.told(event)
  }
}

const idle: AnyActorLogic = {
  transition: (snapshot) => snapshot,
  getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
  getPersistedSnapshot: (snapshot) => snapshot,
}

/** An observable has no output; its last value takes that place. */
function resultOf({ output }: AnyEventObject, ward: AnyActorRef): unknown {
  if (output !== undefined) return output
  const snapshot = ward.getSnapshot()
  return '_subscription' in snapshot ? snapshot.context : undefined
}
