import { pino } from 'pino'

/** The one logger. `LOG_LEVEL` is read by main.ts and set there. */
export const log = pino({ name: 'heddle', level: 'info' })
