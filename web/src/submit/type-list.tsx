import { Layers } from 'lucide-react'
import { RadioGroup } from 'radix-ui'
import type { JobTypesQuery } from '../graphql/generated/graphql.ts'
import { formatType } from '../ui/format.ts'

/** The job types to choose from, by click or by arrow keys. */
export function TypeList(props: {
  types: JobTypesQuery['jobTypes']
  chosen: string
  onChoose: (type: string) => void
}) {
  return (
    <RadioGroup.Root
      className="type-list"
      aria-label="Job type"
      value={props.chosen}
      onValueChange={props.onChoose}
    >
      {props.types.map(({ type, description, parallel }) => (
        <RadioGroup.Item
          key={type}
          value={type}
          className="type-choice"
          aria-labelledby={`type-${type}`}
          aria-describedby={`type-${type}-text`}
        >
          <strong>
            <span id={`type-${type}`}>{formatType(type)}</span>
            {parallel && (
              <span title="Can use several threads">
                <Layers aria-label="parallel" />
              </span>
            )}
          </strong>
          <small id={`type-${type}-text`}>{description}</small>
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  )
}
