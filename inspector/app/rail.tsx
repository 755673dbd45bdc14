import { hrefOf, VIEWS, view } from '../state/route.ts'
import { Icon } from '../ui/icons.tsx'

export function Rail() {
  return (
    <nav class="rail" aria-label="Views">
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
