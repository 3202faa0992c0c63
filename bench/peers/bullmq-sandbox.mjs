import { perform } from '../compare/workload.mjs'

/** What BullMQ's sandbox runs on a thread. */
export default async ({ name, data }) => perform(name, data)
