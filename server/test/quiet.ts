import { log } from '../src/log.ts'

// Tests cause trouble on purpose; their own output says what went wrong.
log.level = 'silent'
