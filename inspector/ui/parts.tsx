import type { ComponentChildren } from 'preact'
import { Component } from 'preact'
import { Icon, type IconName } from './icons.tsx'

export function Card({
  title,
  aside,
  class: extra = '',
  children,
}: {
  title?: ComponentChildren
  aside?: ComponentChildren
  class?: string
  children: ComponentChildren
}) {
  return (
    <section class={`card ${extra}`}>
      {(title !== undefined || aside !== undefined) && (
        <header class="card-head">
          <h2>{title}</h2>
          {aside !== undefined && <div class="card-aside">{aside}</div>}
        </header>
      )}
      <PanelGuard>{children}</PanelGuard>
    </section>
  )
}

export function Tile({
  label,
  value,
  unit,
  note,
  tone,
  href,
}: {
  label: string
  value: ComponentChildren
  unit?: ComponentChildren
  note?: ComponentChildren
  tone?: 'bad' | 'good'
  href?: string
}) {
  const inside = (
    <>
      <span class="tile-label">{label}</span>
      <span class="tile-value">
        {value}
        {unit !== undefined && <small> {unit}</small>}
      </span>
      <span class="tile-note">{note}</span>
    </>
  )
  const name = `tile ${tone ?? ''}`
  return href === undefined ? (
    <div class={name}>{inside}</div>
  ) : (
    <a class={name} href={href}>
      {inside}
    </a>
  )
}

/** What stands where there is nothing to show: what is missing, and what brings it. */
export function Empty({
  icon = 'jobs',
  title,
  children,
}: {
  icon?: IconName
  title: string
  children?: ComponentChildren
}) {
  return (
    <div class="empty">
      <Icon name={icon} size={30} />
      <p class="empty-title">{title}</p>
      {children !== undefined && <div class="muted">{children}</div>}
    </div>
  )
}

/** A panel that breaks says so, and the others go on. */
class PanelGuard extends Component<{ children: ComponentChildren }, { error?: Error }> {
  static override getDerivedStateFromError(error: Error) {
    return { error }
  }

  render() {
    const { error } = this.state
    if (error === undefined) return this.props.children
    return (
      <div class="empty" role="alert">
        <Icon name="warn" size={30} />
        <p class="empty-title">This panel could not be drawn</p>
        <p class="muted">{String(error.message)}</p>
        <button type="button" onClick={() => this.setState({ error: undefined } as never)}>
          Try again
        </button>
      </div>
    )
  }
}

export function Tabs<Name extends string>({
  label,
  names,
  current,
  onChoose,
}: {
  label: string
  names: readonly { readonly name: Name; readonly title: ComponentChildren }[]
  current: Name
  onChoose: (name: Name) => void
}) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {names.map(({ name, title }) => (
        <button key={name} type="button" aria-pressed={name === current} onClick={() => onChoose(name)}>
          {title}
        </button>
      ))}
    </div>
  )
}
