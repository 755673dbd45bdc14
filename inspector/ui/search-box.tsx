import { Icon } from './icons.tsx'

/** A search of a view; `/` comes here, Escape leaves. */
export function SearchBox({
  value,
  placeholder,
  onChange,
}: {
  value: string
  placeholder: string
  onChange: (text: string) => void
}) {
  return (
    <label class="search">
      <Icon name="search" size={15} />
      <input
        type="search"
        aria-label={placeholder}
        placeholder={placeholder}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
        spellcheck={false}
      />
    </label>
  )
}
