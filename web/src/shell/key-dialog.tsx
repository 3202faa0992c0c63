import { Dialog } from 'radix-ui'
import { useState, type FormEvent } from 'react'
import { useConnection, useKeyState } from '../graphql/connection-context.ts'
import { Button, Field } from '../ui/controls.tsx'
import '../ui/dialog.css'

/** Opens by itself when the server answers that it wants a key, and cannot be put away without one. */
export function KeyDialog() {
  const connection = useConnection()
  const state = useKeyState()
  const [key, setKey] = useState('')
  const save = (event: FormEvent): void => {
    event.preventDefault()
    connection.setKey(key.trim())
  }
  return (
    <Dialog.Root open={state !== 'fine'}>
      <Dialog.Portal>
        <Dialog.Overlay className="dialog-shade" />
        <Dialog.Content className="dialog">
          <Dialog.Title className="dialog-title">This server asks for a key</Dialog.Title>
          <Dialog.Description className="dialog-text">
            It is one of those that the server was started with in <code>API_KEYS</code>, and stays
            in this browser.
          </Dialog.Description>
          <form onSubmit={save} className="dialog-form">
            <Field
              label="API key"
              id="api-key"
              problem={
                state === 'wrong' ? 'The server does not know the key that it got' : undefined
              }
            >
              {(control) => (
                <input
                  {...control}
                  className="input"
                  type="password"
                  autoComplete="off"
                  value={key}
                  onChange={(event) => setKey(event.target.value)}
                />
              )}
            </Field>
            <Button look="primary" type="submit" disabled={key.trim() === ''}>
              Continue
            </Button>
          </form>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
