import { useEffect, useRef } from 'preact/hooks'
import { hrefOf, VIEWS, view } from '../state/route.ts'
import { Icon } from '../ui/icons.tsx'

export function Rail() {
  const rail = useRef<HTMLElement>(null)
  // On a phone there is not room for all.
  useEffect(() => {
    rail.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [view.value])
  return (
    <nav ref={rail} class="rail" aria-label="Views">
      {VIEWS.map((name, index) => (
        <a
          key={name}
          href={hrefOf(name)}
          aria-current={view.value === name ? 'page' : undefined}
          title={`${name[0]?.toUpperCase()}${name.slice(1)} (${index + 1})`}
        >
          <Icon name={name} size={19} />
          <span>{name}</span>
        </a>
      ))}
    </nav>
  )
}
