/** The database cannot be opened: says what is wrong and how to mend it. Ends the start of the process. */
export class StoreOpenError extends Error {
  override name = 'StoreOpenError'
}
